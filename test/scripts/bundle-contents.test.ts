import type { Metafile } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { type Sbom, sbomOf, shippedPackages } from '../../scripts/bundle-contents.ts'

const LOCKED = {
  '': { version: '0.1.0' },
  'node_modules/runtime': { version: '1.0.0' },
  'node_modules/@scope/bundled': { version: '2.0.0', dev: true },
  'node_modules/runtime/node_modules/bundled': { version: '3.0.0', dev: true },
  'node_modules/copied': { version: '4.0.0', dev: true },
  'node_modules/tool': { version: '5.0.0', dev: true },
  'node_modules/optional-peer': { version: '6.0.0', devOptional: true },
  'node_modules/peer-platform': { version: '6.0.0', optional: true },
}

const SHIPPED = ['runtime@1.0.0', '@scope/bundled@2.0.0', 'bundled@3.0.0', 'copied@4.0.0']

const metafile = (...paths: string[]): Metafile => ({
  inputs: Object.fromEntries(paths.map((path) => [path, { bytes: 1, imports: [] }])),
  outputs: {},
})

test('includes dependencies, the packages in bundles, and copied packages', () => {
  const bundle = metafile(
    'src/a.ts',
    'node_modules/@scope/bundled/index.js',
    'node_modules/@scope/bundled/more.js',
    'node_modules/runtime/node_modules/bundled/index.js',
  )
  expect([...shippedPackages([bundle], ['copied'], LOCKED)].toSorted()).toEqual(SHIPPED.toSorted())
})

test('rejects a bundled package that is not locked', () => {
  expect(() => shippedPackages([metafile('node_modules/odd/a.js')], [], LOCKED)).toThrow(
    'node_modules/odd is bundled',
  )
})

describe('an SBOM', () => {
  const component = (ref: string) => {
    const [, name = '', version = ''] = /^(.+)@(.+)$/.exec(ref) ?? []
    return { name, version, purl: `pkg:npm/${ref}`, hashes: [{ alg: 'SHA-512' }] }
  }
  const all: Sbom = {
    metadata: { component: { name: 'folder' } },
    components: [...SHIPPED, 'tool@5.0.0'].map(component),
    dependencies: [
      { ref: 'zael@0.1.0', dependsOn: ['runtime@1.0.0', 'tool@5.0.0'] },
      { ref: 'tool@5.0.0', dependsOn: [] },
      { ref: 'runtime@1.0.0' },
    ],
  }

  test('lists the shipped packages, under the name of the package', () => {
    const sbom = sbomOf(all, 'zael', new Set(SHIPPED))
    expect(sbom.metadata.component.name).toBe('zael')
    expect(sbom.components.map(({ name }) => name)).not.toContain('tool')
    expect(sbom.dependencies).toEqual([
      { ref: 'zael@0.1.0', dependsOn: ['runtime@1.0.0'] },
      { ref: 'runtime@1.0.0', dependsOn: [] },
    ])
  })

  test('is rejected if a shipped package is missing or has no hash', () => {
    const lacking = { ...all, components: [{ ...component('runtime@1.0.0'), hashes: [] }] }
    expect(() => sbomOf(lacking, 'zael', new Set(['runtime@1.0.0']))).toThrow(/lacks .*runtime@1\.0\.0/)
  })
})
