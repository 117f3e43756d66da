import type { Model } from '../core/model/model.ts'
import type { LongPrompt, ModelRequest, PromptEstimate, RequestBilling } from '../core/ports/model-backend.ts'
import { sharedRead } from '../core/ports/shared-read.ts'
import { type Eventual, whenReady } from '../core/ports/when-ready.ts'
import { largestMaximum } from './apis/output-bounds.ts'
import { wireApis } from './apis/wire-apis.ts'
import { type CountTokens, loadO200k } from './prompt/byte-pairs.ts'
import { type CollectedPrompt, collectPrompt } from './prompt/collected-prompt.ts'
import { familyOf, type ModelFamily } from './prompt/families.ts'
import { countTexts, createSamplePlaces, type SamplePlaces } from './prompt/text-count.ts'
import { billingOf } from './request-billing.ts'
import { createWorkTurns, type WorkTurns } from './work-turns.ts'

/** Estimates what requests use, and counts what models write. */
export interface PromptCounter {
  /** As `ModelBackend.estimate`, by the encoding of the model's family. Its tables load at the first call. */
  estimate(request: ModelRequest): Eventual<PromptEstimate | LongPrompt>
  /** The tokens of a text of a model. */
  countText(text: string): Eventual<number>
}

export interface PromptCounterOptions {
  readonly load?: () => Promise<CountTokens>
  readonly turns?: WorkTurns
  readonly places?: SamplePlaces
}

/** In characters and tokens of other parts, such as numbers: shorter prompts are counted in less than a millisecond. */
const SHORT = 4096

/** In units of 0.1 µs at most: 3 ms, in which 10,000 characters of English are counted without a turn. */
const FREE_WORK = 30_000

const WORK_PER_TURN = 15_000

/**
 * Counts with o200k, whose counts of other families are multiplied by a factor: the actual usage is settled afterwards. All counts
 * of a process share turns of the event loop. A load that failed is tried again.
 */
export const createPromptCounter = (options: PromptCounterOptions = {}): PromptCounter => {
  const { load = loadO200k, places = createSamplePlaces() } = options
  const turns = options.turns ?? createWorkTurns({ freeWork: FREE_WORK, workPerTurn: WORK_PER_TURN })
  const counter = sharedRead(load)
  let loaded: CountTokens | undefined
  const loadedCounter = (): Eventual<CountTokens> =>
    loaded ??
    counter().then((count) => {
      loaded = count
      return count
    })
  const count = (prompt: CollectedPrompt): Eventual<number> =>
    whenReady(loadedCounter(), (count) => countTexts(prompt, { count, task: turns.begin(), places }))
  return {
    estimate(request) {
      const family = familyOfModel(request.model)
      const prompt = collected(request, family)
      const billing = billingOf(request, prompt)
      const withTexts = (tokens: number): PromptEstimate =>
        estimateOf(request, inputTokens(family, tokens + prompt.fixedTokens), billing)
      if (prompt.length + prompt.fixedTokens < SHORT) return whenReady(count(prompt), withTexts)
      return {
        least: bounded(withTexts(prompt.leastTextTokens)),
        count: async () => withTexts(await count(prompt)),
      }
    },
    countText: (text) => count(collectPrompt(NO_FAMILY, (prompt) => prompt.text(text))),
  }
}

/** Until the bound of the output is known, it is at least one token. */
const bounded = (estimate: PromptEstimate): PromptEstimate =>
  estimate.choices === 0 || estimate.namedOutputTokens !== null
    ? estimate
    : { ...estimate, defaultOutputTokens: 1 }

const NO_FAMILY = familyOf('')

/** By model, for as long as it is cached. */
const families = new WeakMap<Model, ModelFamily>()

/** The names at upstreams are more telling than an id that an administrator has chosen. */
const familyOfModel = (model: Model): ModelFamily => {
  const known = families.get(model)
  if (known !== undefined) return known
  const family = familyOf([model.id, ...model.upstreams.map((upstream) => upstream.model ?? '')].join(' '))
  families.set(model, family)
  return family
}

const collected = ({ api, model, body }: ModelRequest, family: ModelFamily): CollectedPrompt =>
  collectPrompt(family, (prompt) => wireApis[api].readPrompt(body, prompt), {
    billsAudio: Boolean(model.prices?.perAudioSecond),
  })

const inputTokens = ({ textFactor }: ModelFamily, tokens: number): number => Math.ceil(tokens * textFactor)

/** Keeps sums exact: some names of maxima are not checked on each API, and may be any number. */
const MOST_OUTPUT = 1e15

const estimateOf = (
  { api, body }: ModelRequest,
  inputTokens: number,
  billing: RequestBilling | undefined,
): PromptEstimate => {
  const choices = wireApis[api].choices(body)
  const maximum = choices === 0 ? null : largestMaximum(body)
  return {
    inputTokens,
    namedOutputTokens: maximum === null ? null : Math.min(maximum * choices, MOST_OUTPUT),
    choices,
    defaultOutputTokens: null,
    ...(billing !== undefined && { billing }),
  }
}
