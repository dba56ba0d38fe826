/** The page for a browser without the cookie. It has no script and no style: requests for them would be rejected. */
export const loginPage = (problem = ''): string => `<!doctype html>
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
${problem && `<p role="alert">${problem}`}
<p>Enter the token that the server was started with (SLUICE_TOKEN).
</form>
</main>
</html>
`
