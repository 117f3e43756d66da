/**
 * What may import what, type imports included. Each list reads from the bottom up: a folder imports only itself and those
 * before it. `npm run lint` checks it.
 */

/** The layers of `src/core`. */
const CORE = ['model', 'ports', 'bucket', 'resolve', 'charge', 'decide', 'admin']

/** The folders of `src` that a folder imports beside itself. */
const SRC = {
  'command-line': [],
  core: [],
  contract: ['core/model'],
  declarative: ['core/model', 'contract'],
  gateway: ['core', 'web'],
  store: ['core', 'contract'],
  platform: ['core'],
  usage: ['core'],
  web: ['core'],
  http: ['core', 'contract', 'web', 'platform/loopback'],
  embedded: ['usage'],
  library: ['core', 'contract', 'store', 'platform', 'web'],
  settings: ['core', 'contract', 'platform'],
  compose: ['core', 'gateway', 'store', 'platform', 'usage', 'http', 'settings'],
}

/** What the folders beside `src` import of this repository, beside themselves. `bin`, `lambdas` and `lib` are on top. */
const TOP = {
  cli: ['src/(command-line|contract|core/model|declarative|platform/loopback)'],
  seed: ['src/core'],
  lib: ['src/(contract|core|settings)'],
  lambdas: ['src/(compose|core|http|platform|settings|usage)'],
  bin: ['src', 'cli', 'lib', 'seed'],
}

/** Packages that a folder must not import: `core` has no platform, and only `store` and `platform` call AWS. */
const PACKAGES = {
  core: 'node_modules/(@aws-sdk|@aws-lambda|hono|valibot)',
  contract: 'node_modules/(?!valibot)',
  gateway: 'node_modules/(@aws-sdk|hono)',
  store: 'node_modules/hono',
  platform: 'node_modules/hono',
  usage: 'node_modules/(@aws-sdk|hono)',
  web: 'node_modules/',
  http: 'node_modules/@aws-sdk',
  library: 'node_modules/hono-openapi',
}

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

export default {
  forbidden: [
    rule('no-cycles', 'modules that import each other can only be read together', {}, { circular: true }),
    ...CORE.slice(0, -1).map((layer, index) =>
      rule(
        `core/${layer}`,
        `core/${layer} imports only core/(${CORE.slice(0, index + 1).join('|')})`,
        { path: `^src/core/${layer}/` },
        { path: `^src/core/(${CORE.slice(index + 1).join('|')})/` },
      ),
    ),
    ...Object.entries(SRC).map(([folder, others]) =>
      rule(
        `src/${folder}`,
        `src/${folder} imports only ${[folder, ...others].join(', ')}`,
        { path: `^src/${folder}/` },
        {
          path: '^(src|cli|lib|bin|lambdas|seed|scripts|bench|verify|test)/',
          pathNot: `^src/(${[folder, ...others].join('|')})(/|[.]ts$)`,
        },
      ),
    ),
    ...Object.entries(TOP).map(([folder, others]) =>
      rule(
        folder,
        `${folder} imports only ${[folder, ...others].join(', ')}`,
        { path: `^${folder}/` },
        {
          path: '^(src|cli|lib|bin|lambdas|seed|scripts|bench|verify|test)/',
          pathNot: `^(${[folder, ...others].join('|')})(/|[.]ts$)`,
        },
      ),
    ),
    rule(
      'programs are on top',
      'nothing but tests imports a program or a Lambda',
      { path: '^(src|cli|lib|seed|scripts|bench|verify|examples)/' },
      { path: '^(bin|lambdas)/' },
    ),
    rule('core has no platform', 'no module of Node', { path: '^src/core/' }, { dependencyTypes: ['core'] }),
    ...Object.entries(PACKAGES).map(([folder, packages]) =>
      rule(`packages of src/${folder}`, 'see PACKAGES', { path: `^src/${folder}/` }, { path: packages }),
    ),
    rule(
      'no development code',
      'deployed and published code imports neither tests nor tools',
      { path: '^(src|cli|lib|bin|lambdas)/' },
      { path: '^(test|bench|verify|scripts|examples)/' },
    ),
  ],
  options: {
    // the compiler has no JavaScript API in this version; swc reads the imports
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
}
