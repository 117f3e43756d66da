import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, symlink } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ScriptError } from '../run-command.ts'

const run = promisify(execFile)

/** A project that has installed the package and nothing that is not given to it. */
export interface Consumer {
  readonly directory: string
  /** Lets the project find a package of the checkout's, as if it were installed. */
  provide(name: string): Promise<void>
}

/** Packs the checkout into `directory`, as `npm publish` would. Gives the tarball. */
export const pack = async (root: string, directory: string): Promise<string> => {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', directory], { cwd: root })
  const [first] = await readdir(directory).then((names) => names.filter((name) => name.endsWith('.tgz')))
  if (first === undefined) throw new ScriptError(`npm pack made no tarball: ${stdout}`)
  return join(directory, first)
}

/** Installs the tarball into an empty project, with the packages that it depends on. */
export const installInto = async (root: string, tarball: string, directory: string): Promise<Consumer> => {
  const modules = join(directory, 'node_modules')
  await mkdir(modules, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', modules])
  await rename(join(modules, 'package'), join(modules, 'zael'))
  const provide = async (name: string): Promise<void> => {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  return { directory, provide }
}

const REQUIRED_FILES = ['LICENSE', 'SECURITY.md', 'README.md', 'CHANGELOG.md', 'dist/sbom.cdx.json']

/** What is published: code below `dist` alone, no tests, and no path of the machine it was built on. */
export const checkFiles = async (root: string, { directory }: Consumer): Promise<void> => {
  const base = join(directory, 'node_modules', 'zael')
  const files = (await readdir(base, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  )
  const paths = files.map(({ parentPath, name }) => join(parentPath, name).slice(base.length + 1))
  const expected =
    /^(dist\/(src|lib|lambdas|bin\/settings)\/|(dist\/sbom\.cdx\.json|package\.json|README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE)$)/
  const odd = paths.filter((path) => !expected.test(path) || /(^|\/)(test|\.env)|\.test\./.test(path))
  if (odd.length > 0) throw new ScriptError(`this should not be published: ${odd.join(', ')}`)
  const missing = REQUIRED_FILES.filter((path) => !paths.includes(path))
  if (missing.length > 0) throw new ScriptError(`this should be published: ${missing.join(', ')}`)
  for (const path of paths) {
    const text = await readFile(join(base, path), 'latin1')
    const machine = [root, homedir()].find((place) => place.length > 1 && text.includes(`${place}/`))
    if (machine !== undefined) throw new ScriptError(`${path} names a place on this machine: ${machine}`)
  }
  console.log(`${paths.length} files, none of them out of place`)
}
