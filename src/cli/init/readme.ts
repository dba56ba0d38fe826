export interface ReadmeOptions {
  readonly name: string
  readonly pipeline: string
  /** A table that the pipeline fills. */
  readonly table: string
}

/** Returns the README of a new project: its commands, and how to run it at its times. */
export const readmeText = ({ name, pipeline, table }: ReadmeOptions): string => `# ${name}

Reads web APIs into PostgreSQL with Sluice. Pipelines are in \`pipelines/\`, settings and secrets in \`.env\`, which is
not committed.

\`\`\`sh
npm install
npm run sync                 # runs all pipelines
npx sluice run ${pipeline}       # runs one
npx sluice sql "select * from ${table} limit 5"
npx sluice status            # what ran, and what is wrong
npm run check                # looks for mistakes before a run meets them
npm test && npm run types
\`\`\`

## At its times

The \`schedule\` of a pipeline says when it runs. \`npx sluice schedule\` runs it then, or another scheduler does:

\`\`\`sh
npx sluice schedule --print crontab > sluice.crontab && crontab sluice.crontab     # or: systemd, kubernetes
\`\`\`

A line for any cron, which prints only what is wrong:

\`\`\`text
*/15 * * * *  cd /path/to/${name} && npx sluice run ${pipeline} --quiet --overlap skip --timeout 30m >/dev/null
\`\`\`
`
