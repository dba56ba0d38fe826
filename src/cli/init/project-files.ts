import type { ModuleEnding } from './module-type.ts'
import { readmeText } from './readme.ts'
import { STARTER, starterPipeline, starterTest } from './starter.ts'

export interface ProjectOptions {
  /** The pipeline that the README names, and its stream. @default placeholders */
  readonly first?: { readonly pipeline: string; readonly table: string } | undefined
  /** Lower-case letters, digits, `-` and `_`. */
  readonly name: string
  /** The address of a database; undefined is the embedded PostgreSQL. */
  readonly database: string | undefined
  /** The names of variables with secrets of the first pipeline. @default none */
  readonly secrets?: readonly string[]
}

export interface ProjectFile {
  /** Relative to the project's folder. */
  readonly path: string
  readonly text: string
  /** It holds secrets: only its owner may read it. @default false */
  readonly isSecret?: boolean
}

/** The name of the schema that a project's tables are in. */
const schemaOf = (name: string): string => name.replaceAll('-', '_')

/** Returns the files that every project has, besides package.json. */
export function projectFiles({ name, database, first = PLACEHOLDERS, secrets = [] }: ProjectOptions): ProjectFile[] {
  return [
    { path: 'tsconfig.json', text: TSCONFIG },
    { path: '.gitignore', text: GITIGNORE },
    { path: '.env', text: environmentText(database, secrets), isSecret: true },
    { path: '.env.example', text: environmentText(undefined, secrets) },
    { path: 'README.md', text: readmeText({ name, ...first }) },
  ]
}

const PLACEHOLDERS = { pipeline: 'PIPELINE', table: 'SCHEMA.TABLE' }

/** Returns the names of a project's first pipeline. */
export const starterNames = (name: string) => ({ pipeline: STARTER, table: `${schemaOf(name)}.${STARTER}` })

/** Returns the files of a first pipeline. */
export const starterFiles = (name: string, ending: ModuleEnding): ProjectFile[] => [
  { path: `pipelines/${STARTER}${ending}`, text: starterPipeline(schemaOf(name)) },
  { path: `test/${STARTER}.test${ending}`, text: starterTest(ending) },
]

const NO_DATABASE = '# DATABASE_URL=postgres://user:password@localhost:5432/database'

const environmentText = (database: string | undefined, secrets: readonly string[]): string =>
  `# Settings, and the secrets that pipelines name with secret('NAME'). A variable of the environment wins.

# The database with the tables. Without it, Sluice starts a PostgreSQL of its own and keeps it in .sluice/.
${database === undefined ? NO_DATABASE : `DATABASE_URL=${quoted(database)}`}
${secrets.length > 0 ? `\n# Of the API.\n${secrets.map((secret) => `${secret}=\n`).join('')}` : ''}`

/** `#` would begin a comment, and `$` is left as it is between single quotes. */
function quoted(value: string): string {
  if (/^[\w:/?&=.@%+~,-]+$/.test(value)) return value
  return value.includes("'") ? `"${value}"` : `'${value}'`
}

const GITIGNORE = `node_modules/
.env
.sluice/
`

const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2025",
    "lib": ["es2025", "esnext.array", "esnext.disposable"],
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true
  },
  "include": ["pipelines", "test"]
}
`
