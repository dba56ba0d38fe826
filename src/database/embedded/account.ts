import { readFile, stat } from 'node:fs/promises'

/** The account that the server runs as, if it is not that of this process. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * Returns the account for the server, because PostgreSQL refuses to run as root: the owner of the server's files, else
 * the owner of the project's directory, else `postgres`, else `nobody`. Returns undefined if this process is not root.
 */
export async function serverAccount(home: string, project: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').flatMap(parse)
  for (const path of [home, project]) {
    const owner = await ownerOf(path)
    const account = owner && accounts.find(({ uid }) => uid === owner)
    if (account) return account
  }
  return (
    accounts.find(({ name }) => name === 'postgres') ??
    accounts.find(({ name }) => name === 'nobody') ?? { name: 'nobody', uid: 65_534, gid: 65_534 }
  )
}

async function ownerOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found?.uid === 0 ? undefined : found?.uid
}

function parse(line: string): Account[] {
  const [name, , uid, gid] = line.split(':')
  return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
}
