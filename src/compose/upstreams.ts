import {
  DEFAULT_TIMEOUTS,
  DEFAULT_UPSTREAM,
  parseSecretReference,
  type Upstream,
} from '../core/model/upstream.ts'
import type { Logger } from '../core/ports/platform.ts'
import type { SecretReader } from '../core/ports/upstreams.ts'
import { createReferencedSecrets, type SecretRules } from '../platform/referenced-secrets.ts'
import { systemClock } from '../platform/runtime.ts'
import type { Environment, Settings } from '../settings/settings.ts'

/** The upstream `default` that UPSTREAM_BASE_URL and UPSTREAM_API_KEY describe. Null: they are not set. */
export const environmentUpstreamOf = ({
  upstreamBaseUrl,
  upstreamApiKey,
}: Pick<Settings, 'upstreamBaseUrl' | 'upstreamApiKey'>): Upstream | null =>
  upstreamBaseUrl === null
    ? null
    : {
        name: DEFAULT_UPSTREAM,
        kind: 'openai',
        baseUrl: new URL(upstreamBaseUrl).href,
        region: null,
        signingService: null,
        secret: upstreamApiKey === null ? null : 'env:UPSTREAM_API_KEY',
        headers: {},
        timeouts: DEFAULT_TIMEOUTS,
        adaptive: null,
        createdAt: systemClock.now(),
        version: 0n,
      }

/** The region of AWS that the environment names; null: none. */
export const processRegionOf = ({ AWS_REGION, AWS_DEFAULT_REGION }: Environment): string | null =>
  AWS_REGION || AWS_DEFAULT_REGION || null

export interface SecretSources {
  readonly environment: Environment
  readonly logger: Logger
}

/** Reads secrets of upstreams from the environment and from Secrets Manager, never the tokens of zael itself. */
export const createSecretReader = (
  { upstreamAllowedSecretArns }: Pick<Settings, 'upstreamAllowedSecretArns'>,
  sources: SecretSources,
): SecretReader => createSecrets(upstreamAllowedSecretArns, sources, UPSTREAM_SECRETS)

const UPSTREAM_SECRETS: SecretRules = {
  parse: (text) => parseSecretReference(text),
  setting: 'UPSTREAM_ALLOWED_SECRET_ARNS',
}

/** Reads the secrets that `rules` allow, never the tokens of zael itself. */
export const createSecrets = (
  allowedArns: readonly string[],
  { environment, logger }: SecretSources,
  rules: SecretRules,
): SecretReader => {
  const { ADMIN_TOKEN_SECRET_ARN = '', VIEWER_TOKEN_SECRET_ARN = '' } = environment
  return createReferencedSecrets({
    ...rules,
    environment,
    allowedArns,
    ownArns: [ADMIN_TOKEN_SECRET_ARN, VIEWER_TOKEN_SECRET_ARN],
    async fetch(arn, region) {
      const { readSecret } = await import('../platform/read-secret.ts')
      return readSecret(arn, region)
    },
    clock: systemClock,
    logger,
  })
}
