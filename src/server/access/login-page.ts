/**
 * What a browser without the cookie gets. Without a script or a style, which have to be asked for and would be refused.
 */
export const loginPage = (fault = ''): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sluice</title>
<main>
<h1>Sluice</h1>
<form method="post" action="/login">
<p><label>Token <input name="token" type="password" autocomplete="current-password" required autofocus></label>
<button>Enter</button>
${fault && `<p role="alert">${fault}`}
<p>It is the one that the server was started with (SLUICE_TOKEN).
</form>
</main>
</html>
`
