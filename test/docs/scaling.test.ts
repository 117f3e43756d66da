import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { settingMistakes } from '../../src/settings/read-settings.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(read('docs/scaling.md')) ?? []
const [deployment, service] = parseAllDocuments(yaml).map((document) => document.toJS())
const pod = deployment.spec.template.spec
const [container] = pod.containers

interface Variable {
  readonly name: string
  readonly value?: string
}

const valueNamed = (name: string): string | undefined =>
  container.env.find((variable: Variable) => variable.name === name)?.value

test('the settings of the Kubernetes deployment are valid', () => {
  // a secret's value differs from the others'
  const environment = Object.fromEntries(
    container.env.map(({ name, value = `${name}-of-a-secret` }: Variable) => [name, value]),
  )
  expect(Object.keys(environment)).toEqual(
    expect.arrayContaining(['TABLE_NAME', 'ADMIN_TOKEN', 'VIEWER_TOKEN', 'STOP_GRACE_SECONDS']),
  )
  expect(settingMistakes({ ...environment, HOST: '0.0.0.0' })).toEqual([])
})

test('Kubernetes waits until requests have ended and counts are written', () => {
  const preStop: number = container.lifecycle.preStop.sleep.seconds
  const grace = Number(valueNamed('STOP_GRACE_SECONDS'))
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStop + grace + 5)
})

test('the probes, the port and the arguments are those of the image', () => {
  const dockerfile = read('Dockerfile')
  const [, port] = /^EXPOSE (\d+)$/m.exec(dockerfile) ?? []
  expect(container.ports).toEqual([{ name: 'http', containerPort: Number(port) }])
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    expect(container[probe].httpGet).toEqual({ path: '/health', port: 'http' })
  }
  expect(dockerfile).toContain(`CMD ["${container.args[0]}"]`)
  expect(container.securityContext).toMatchObject({ runAsNonRoot: true, readOnlyRootFilesystem: true })
  expect(dockerfile).toMatch(/^USER [1-9]\d*$/m)
})

test('the service selects the pods of the deployment', () => {
  expect(service.spec.selector).toEqual(deployment.spec.template.metadata.labels)
  expect(deployment.spec.selector.matchLabels).toEqual(service.spec.selector)
})
