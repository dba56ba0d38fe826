/** The part of a dashboard of Grafana that is read here. */
export interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
}

/** What Grafana puts in place of its variables. */
const VARIABLES: Readonly<Record<string, string>> = { $pipeline: '.*', $__rate_interval: '1m', $__range: '10m' }

/** Returns the queries of a dashboard as Grafana sends them. */
export const queriesOf = ({ panels }: Dashboard): { readonly panel: string; readonly expression: string }[] =>
  panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      expression: expr.replaceAll(/\$\w+/g, (name) => VARIABLES[name] ?? name),
    })),
  )
