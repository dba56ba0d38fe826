// What deploy/ promises, as far as it can be seen without systemd, a container engine or a cluster.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'

const DEPLOY = join(import.meta.dirname, '../../deploy')

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec?: { readonly template?: { readonly spec: PodSpec } }
}
interface PodSpec {
  readonly automountServiceAccountToken: boolean
  readonly securityContext: unknown
  readonly containers: readonly { readonly args: readonly string[]; readonly securityContext: unknown }[]
}

test('the services of systemd differ in their names and commands only', () => {
  const folder = join(DEPLOY, 'systemd')
  const alike = readdirSync(folder).map((file) => {
    const name = /^sluice-(\w+)\.service$/.exec(file)?.[1] ?? ''
    const text = readFileSync(join(folder, file), 'utf8').replaceAll(`sluice-${name}`, 'sluice-NAME')
    return text
      .replace(/^Description=.*$/m, '')
      .replace(/\[Service\]\n# .*\nExecStart=(.*sluice\.cjs) .*\n/, '[Service]\n$1\n')
  })
  expect(alike).toHaveLength(3)
  expect(new Set(alike).size).toBe(1)
})

test('every pod on Kubernetes is restricted, and asks the cluster for nothing', () => {
  const folder = join(DEPLOY, 'kubernetes')
  const manifests = readdirSync(folder).flatMap((file) =>
    parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((one) => one.toJS() as Manifest),
  )
  const pods = manifests.flatMap(({ spec }) => spec?.template?.spec ?? [])
  const commands = pods.flatMap(({ containers }) => containers.map(({ args }) => args[0] ?? ''))
  expect(commands.toSorted()).toEqual(['migrate', 'schedule', 'serve', 'worker'])
  for (const pod of pods) {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    for (const { securityContext } of pod.containers)
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
  }
})
