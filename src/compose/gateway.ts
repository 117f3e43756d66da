import type { CacheFactory, Logger } from '../core/ports/platform.ts'
import { sharedRead } from '../core/ports/shared-read.ts'
import type { RequestSigner, SecretReader, UpstreamMetrics, UpstreamReader } from '../core/ports/upstreams.ts'
import { createGateway, type Gateway } from '../gateway/gateway.ts'
import { createPromptCounter } from '../gateway/prompt-counter.ts'
import { DEFAULT_TOKENS } from '../gateway/simulated/generation.ts'
import type { SimulatedModel, SimulatedModelOptions } from '../gateway/simulated/simulated-model.ts'
import type { ExchangeLimits } from '../gateway/upstream/exchange-handler.ts'
import { systemClock } from '../platform/runtime.ts'
import type { Environment, Settings } from '../settings/settings.ts'
import { processRegionOf } from './upstreams.ts'

export interface ComposedGatewayParts {
  readonly upstreams: UpstreamReader
  readonly secrets: SecretReader
  readonly environment: Environment
  readonly caches: CacheFactory
  readonly logger: Logger
  readonly upstreamMetrics: UpstreamMetrics
  /** The time that is left for the current request, in ms, on a platform that limits it; undefined: no limit. */
  readonly remainingMs?: () => number
}

/** The gateway of this process. */
export const composeGateway = (settings: Settings, parts: ComposedGatewayParts): Gateway => {
  const { upstreams, secrets, environment, caches, logger, upstreamMetrics, remainingMs } = parts
  const region = processRegionOf(environment)
  const prompts = createPromptCounter()
  const simulated = lazySimulatedModel({
    clock: systemClock,
    countText: prompts.countText,
    latencyMs: settings.simulatedLatencyMs,
    tokensPerSecond: settings.simulatedTokensPerSecond,
    nodeId: settings.nodeId,
  })
  return createGateway({
    upstreams,
    secrets,
    caches,
    logger,
    metrics: upstreamMetrics,
    clock: systemClock,
    region,
    signer: lazySigner(region),
    prompts,
    countText: prompts.countText,
    simulated,
    heartbeatMs: settings.heartbeatSeconds * 1000,
    ...(remainingMs && { bound: (limits: ExchangeLimits) => withinInvocation(limits, remainingMs()) }),
  })
}

/** Loaded with its first call, as most deployments have upstreams. */
const lazySimulatedModel = (options: Omit<SimulatedModelOptions, 'delay'>): SimulatedModel => {
  let loaded: SimulatedModel | undefined
  const load = sharedRead(async () => {
    const [{ createSimulatedModel }, { timerDelay }] = await Promise.all([
      import('../gateway/simulated/simulated-model.ts'),
      import('../gateway/simulated/simulated-events.ts'),
    ])
    loaded = createSimulatedModel({ ...options, delay: timerDelay })
    return loaded
  })
  return {
    defaultOutputTokens: DEFAULT_TOKENS,
    call: (call) => loaded?.call(call) ?? load().then((model) => model.call(call)),
  }
}

/** The signer and the providers of credentials are larger than the rest of the gateway. */
const lazySigner = (region: string | null): RequestSigner => {
  let signer: RequestSigner | undefined
  return {
    async sign(request) {
      const { createAwsRequestSigner } = await import('../platform/aws-request-signer.ts')
      signer ??= createAwsRequestSigner({ region })
      return signer.sign(request)
    },
  }
}

/** API Gateway closes a connection that was idle for five minutes. */
const MOST_FIRST_BYTE_MS = 290_000

/** For the response to a timeout, and for the settlement. */
const RESERVED_MS = 5_000

const withinInvocation = (limits: ExchangeLimits, remainingMs: number): ExchangeLimits => ({
  firstByteMs: Math.min(limits.firstByteMs, MOST_FIRST_BYTE_MS),
  idleMs: limits.idleMs,
  totalMs: Math.min(limits.totalMs, Math.max(remainingMs - RESERVED_MS, 1)),
})
