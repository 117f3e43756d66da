/** Checks of requests, in the order of their columns. */
export const REQUEST_FEATURES = [
  'plain',
  'streamed',
  'tools',
  'structured output',
  'images',
  'embeddings',
  'responses',
  'responses, streamed',
  'count tokens',
  'models',
] as const

/** Checks of errors and of leaving, which every client has. */
export const ERROR_FEATURES = ['401', '403', '404', '413', 'retry', 'no retry', 'abort'] as const

export type Feature = (typeof REQUEST_FEATURES)[number] | (typeof ERROR_FEATURES)[number]

export const FEATURES: readonly Feature[] = [...REQUEST_FEATURES, ...ERROR_FEATURES]

export const isFeature = (value: unknown): value is Feature => FEATURES.some((feature) => feature === value)

/** A client library, and the program that checks it. */
export interface ClientProgram {
  /** As in `docs/compatibility.md`. */
  readonly name: string
  readonly language: 'javascript' | 'python'
  /** Below `test/compatibility/<language>/`. */
  readonly file: string
  readonly args: readonly string[]
  /** The package whose version is shown; for an alias in package.json, the alias. */
  readonly package: string
  /** The API that it calls. */
  readonly api: 'openai' | 'anthropic'
  /** Headers of its requests that must reach the upstream. */
  readonly passedHeaders: Readonly<Record<string, string>>
  /** What the client itself cannot do. A check of it that passes, or fails in another way, is a failure. */
  readonly limitations: Limitations
}

export type Limitations = Readonly<Partial<Record<Feature, Limitation>>>

export interface Limitation {
  /** A sentence for `docs/compatibility.md`. */
  readonly reason: string
  /** How the check fails. */
  readonly failure: RegExp
}

const DEFAULTS = { args: [], passedHeaders: {}, limitations: {} }

const javascript = (
  name: string,
  file: string,
  api: ClientProgram['api'],
  options: Partial<ClientProgram> = {},
): ClientProgram => ({ ...DEFAULTS, package: name, name, language: 'javascript', file, api, ...options })

const python = (
  name: string,
  file: string,
  api: ClientProgram['api'],
  options: Partial<ClientProgram> = {},
): ClientProgram => ({ ...DEFAULTS, package: name, name, language: 'python', file, api, ...options })

const AI_SDK: Limitations = {
  'no retry': {
    reason:
      'The AI SDK does not read `x-should-retry`: it sends the request twice more, after pauses of its own, and then reports the denial.',
    failure: /responses were 200, 429, 429, 429,/,
  },
}

const LITELLM: Limitations = {
  413: {
    reason: "For Anthropic's API, LiteLLM reports a 413 with the status 400.",
    failure: /400 is not 413/,
  },
  retry: {
    reason: "For Anthropic's API, LiteLLM does not repeat a request by itself: it reports the first denial.",
    failure: /RateLimitError/,
  },
}

export const CLIENTS: readonly ClientProgram[] = [
  javascript('openai 6 (npm)', 'openai.mjs', 'openai', { args: ['openai-6'], package: 'openai-6' }),
  javascript('openai 7 (npm)', 'openai.mjs', 'openai', { args: ['openai-7'], package: 'openai-7' }),
  python('openai (PyPI)', 'openai_sdk.py', 'openai', { package: 'openai' }),
  javascript('@anthropic-ai/sdk', 'anthropic.mjs', 'anthropic'),
  python('anthropic (PyPI)', 'anthropic_sdk.py', 'anthropic', { package: 'anthropic' }),
  javascript("Claude Code's calls", 'claude-code.mjs', 'anthropic', {
    package: '@anthropic-ai/sdk',
    passedHeaders: { 'anthropic-beta': 'claude-code-20250219' },
  }),
  javascript('ai, @ai-sdk/openai', 'ai-sdk.mjs', 'openai', {
    args: ['openai'],
    package: '@ai-sdk/openai',
    limitations: AI_SDK,
  }),
  javascript('ai, @ai-sdk/anthropic', 'ai-sdk.mjs', 'anthropic', {
    args: ['anthropic'],
    package: '@ai-sdk/anthropic',
    limitations: AI_SDK,
  }),
  javascript('@langchain/openai', 'langchain.mjs', 'openai', { args: ['openai'] }),
  javascript('@langchain/anthropic', 'langchain.mjs', 'anthropic', { args: ['anthropic'] }),
  python('langchain-openai', 'langchain_clients.py', 'openai', { args: ['openai'] }),
  python('langchain-anthropic', 'langchain_clients.py', 'anthropic', { args: ['anthropic'] }),
  python('litellm, openai/', 'litellm_sdk.py', 'openai', { args: ['openai'], package: 'litellm' }),
  python('litellm, anthropic/', 'litellm_sdk.py', 'anthropic', {
    args: ['anthropic'],
    package: 'litellm',
    limitations: LITELLM,
  }),
  python('openai-agents', 'openai_agents.py', 'openai'),
]
