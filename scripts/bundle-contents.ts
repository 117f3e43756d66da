import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { build, type Metafile } from 'esbuild'
import { API_SOURCE } from '../lib/bundle-lambda.ts'
import packageLock from '../package-lock.json' with { type: 'json' }
import { ScriptError } from './run-command.ts'

export interface BundledFile {
  readonly path: string
  readonly bytes: number
}

/** The files of a bundle that are loaded with `entry`: the entry, and all its static imports. */
export const filesAtStart = ({ outputs }: Metafile, entry: string): readonly BundledFile[] => {
  const first = Object.keys(outputs).find((path) => basename(path) === entry)
  if (first === undefined) throw new Error(`the bundle has no ${entry}`)
  const reached = new Set<string>([first])
  for (const path of reached) {
    for (const imported of outputs[path]?.imports ?? []) {
      if (imported.kind === 'import-statement' && !imported.external) reached.add(imported.path)
    }
  }
  return [...reached].map((path) => ({ path, bytes: outputs[path]?.bytes ?? 0 }))
}

const run = promisify(execFile)

const MOST_BYTES = 64 * 1_048_576

interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  /** A development dependency that is also an optional peer of a dependency: TypeScript is one of valibot. */
  readonly devOptional?: boolean
  /** An optional dependency of such a peer: zael has none of its own. */
  readonly optional?: boolean
}

interface Component {
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly hashes?: readonly object[]
}

/** The part of a CycloneDX document that this script reads; the rest is copied. */
export interface Sbom {
  readonly metadata: { readonly component: { readonly name: string } }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
}

const LOCKED: Readonly<Record<string, LockedPackage>> = packageLock.packages

/** `name@version` of a path in the lock file, such as `node_modules/a/node_modules/@b/c`. */
const nameAndVersion = (place: string, locked: Readonly<Record<string, LockedPackage>>): string => {
  const version = locked[place]?.version
  if (version === undefined) throw new ScriptError(`${place} is bundled, but not in package-lock.json`)
  return `${place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`
}

const placesOf = ({ inputs }: Metafile): readonly string[] =>
  Object.keys(inputs).flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [])

const isForDevelopment = ({ dev, devOptional, optional }: LockedPackage): boolean =>
  [dev, devOptional, optional].includes(true)

/** `name@version` of the packages that users of the package run: its dependencies, and the packages in its bundles. */
export const shippedPackages = (
  metafiles: readonly Metafile[],
  copied: readonly string[],
  locked: Readonly<Record<string, LockedPackage>>,
): ReadonlySet<string> => {
  const installed = Object.entries(locked).flatMap(([place, entry]) =>
    place === '' || isForDevelopment(entry) ? [] : [place],
  )
  const copiedPlaces = copied.map((name) => `node_modules/${name}`)
  const places = [...installed, ...metafiles.flatMap(placesOf), ...copiedPlaces]
  return new Set(places.map((place) => nameAndVersion(place, locked)))
}

/** `all` reduced to the shipped packages. Throws `ScriptError` if one of them is missing or has no hash. */
export const sbomOf = (all: Sbom, name: string, shipped: ReadonlySet<string>): Sbom => {
  const refOf = (component: Component): string => `${component.name}@${component.version}`
  const components = all.components.filter((component) => shipped.has(refOf(component)))
  const complete = new Set(components.filter(({ hashes = [] }) => hashes.length > 0).map(refOf))
  const missing = [...shipped].filter((ref) => !complete.has(ref))
  if (missing.length > 0)
    throw new ScriptError(`the SBOM lacks these packages or their hashes: ${missing.join(', ')}`)
  const isListed = (ref: string): boolean => shipped.has(ref) || ref.startsWith(`${name}@`)
  const dependencies = all.dependencies
    .filter(({ ref }) => isListed(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(isListed) }))
  // npm names the root after its directory
  const metadata = { ...all.metadata, component: { ...all.metadata.component, name } }
  return { ...all, metadata, components, dependencies }
}

const pageMetafile = async (root: string): Promise<Metafile> => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['dashboard/main.tsx'],
    outdir: 'dashboard',
    bundle: true,
    metafile: true,
    write: false,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  })
  return metafile
}

/**
 * The software bill of materials of the package in CycloneDX's JSON format: npm's, which lists everything installed,
 * reduced to the package's dependencies and the contents of its bundles. `npm sbom --omit=dev` omits packages that they
 * share with development.
 */
export const createSbom = async (root: string, name: string, bundles: readonly Metafile[]): Promise<Sbom> => {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library']
  const { stdout } = await run('npm', args, { cwd: root, maxBuffer: MOST_BYTES })
  const all: Sbom = JSON.parse(stdout)
  const copied = Object.values(API_SOURCE.assets ?? {}).map(([module]) => module)
  return sbomOf(all, name, shippedPackages([...bundles, await pageMetafile(root)], copied, LOCKED))
}
