import type { Hono } from 'hono'
import type { AlertService, TargetCheck } from '../core/admin/alerts.ts'
import type { OnConfigChange } from '../core/admin/audit.ts'
import type { BucketService } from '../core/admin/buckets.ts'
import type { EntityService } from '../core/admin/entities.ts'
import type { KeyService } from '../core/admin/keys.ts'
import type { LimitSetService } from '../core/admin/limits.ts'
import type { ModelService } from '../core/admin/models.ts'
import type { PolicyService } from '../core/admin/policies.ts'
import type { UpstreamService } from '../core/admin/upstreams.ts'
import type { ReservationStore } from '../core/charge/reservation-store.ts'
import type { Limiter } from '../core/decide/limiter.ts'
import type { Entity } from '../core/model/entity.ts'
import type { TokenIdentity } from '../core/model/token-entity.ts'
import type { Upstream } from '../core/model/upstream.ts'
import type { UsageReader } from '../core/model/usage.ts'
import type { AdminStore } from '../core/ports/admin-store.ts'
import type { AlertEventStore } from '../core/ports/alert-store.ts'
import type { IdempotencyStore } from '../core/ports/idempotency-store.ts'
import type { ModelBackend } from '../core/ports/model-backend.ts'
import type { CacheFactory, Clock, Logger, Metrics, Secrets } from '../core/ports/platform.ts'
import type { ResponseStore } from '../core/ports/response-store.ts'
import type { TokenEntities } from '../core/ports/token-entities.ts'
import type { TokenVerifier } from '../core/ports/token-verifier.ts'
import type { SecretReader, UpstreamStates } from '../core/ports/upstreams.ts'
import type { ResponseContext } from './response.ts'

/** The settings that routes need, already checked; `docs/settings.md` describes them. */
export interface HttpSettings {
  readonly adminToken: string
  /** null: only admins may read. */
  readonly viewerToken: string | null
  readonly nodeId: string | null
  readonly version: string
  /** The model of chats without `model`. */
  readonly defaultModel: string
  /** The format of errors in `/v1`. */
  readonly errorFormat: 'openai' | 'flat'
  readonly maxBodyBytes: number
  /** The same for model routes. */
  readonly maxModelBodyBytes: number
  /** Longer waits have `x-should-retry: false`. */
  readonly maxRetrySeconds: number
  /** True: only programs and pages of this machine may call, as the tokens are the public defaults. */
  readonly isLocalOnly: boolean
  /** Origins that browsers may call from; empty: none, `*`: any. */
  readonly corsOrigins: readonly string[]
  /** How many proxies in front of this process append to X-Forwarded-For. */
  readonly trustedProxies: number
  /** False: every request is allowed and counted. */
  readonly rateLimitingEnabled: boolean
  /** True: the limiter is not called at all. */
  readonly bypassLimiter: boolean
  /** null: no default. */
  readonly defaultRpmLimit: number | null
  /** null: no default. */
  readonly defaultTpmLimit: number | null
  /** Length of the default limits' window, in seconds. */
  readonly windowSeconds: number
  /** How long a key or an entity is cached, in ms. */
  readonly configCacheMs: number
  /** Interval of the dashboard's stream, in ms; null: it sends one event and ends (Lambda). */
  readonly streamIntervalMs: number | null
}

/** A file that is served unchanged. */
export type AssetName =
  | 'swagger-ui.css'
  | 'swagger-ui-bundle.js'
  | 'favicon-32x32.png'
  | 'redoc.standalone.js'

/** Files beside the code, read on demand. */
export interface Assets {
  /** The file's bytes, or undefined if this deployment does not contain it. */
  docsFile(name: AssetName): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** A file of the dashboard: `index.html` or a file that it references; compressed if the name ends in `.gz`. */
  dashboardFile(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** The OpenAPI document of `app`: generated, or read from a built file. */
  openApiDocument(app: Hono<AppEnv>): Promise<object>
}

/** Everything that the HTTP API depends on. */
export interface AppDependencies {
  readonly limiter: Limiter
  readonly store: AdminStore
  /** Throws `StoreUnavailable` if no request can be decided now; costs a read of the table. */
  checkHealth(): Promise<void>
  /** Reservations that outlive a request. */
  readonly reservations: ReservationStore
  /** Responses to requests with an idempotency key. */
  readonly idempotency: IdempotencyStore
  /** Responses that later requests may continue. */
  readonly responses: ResponseStore
  readonly usage: UsageReader
  /** What alerts have reported. */
  readonly alertEvents: AlertEventStore
  /** Whether this deployment can send to the target of an alert. */
  readonly checkAlertTarget: TargetCheck
  /** Answers requests to models. */
  readonly backend: ModelBackend
  /** Reads the secrets of upstreams, to check a reference when it is set. */
  readonly secretReader: SecretReader
  readonly upstreamStates: UpstreamStates
  /** The upstream `default` of UPSTREAM_BASE_URL, which administrators see and cannot change. Null: none. */
  readonly environmentUpstream: Upstream | null
  /** The region of AWS of this process, for upstreams of Bedrock without one; null: none. */
  readonly processRegion: string | null
  readonly secrets: Secrets
  /** Accepts tokens (JWTs) of issuers; undefined: none is configured, and every credential is a key. */
  readonly tokens?: TokenAuthentication | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly caches: CacheFactory
  readonly settings: HttpSettings
  readonly assets: Assets
  /** Prometheus text; undefined: there is no `/metrics`. */
  readonly metricsText?: () => Promise<string>
  /** Called after every change by this process; the limiter and the caches of the app need no call. */
  readonly onChange?: OnConfigChange
}

/** How callers are identified by tokens. */
export interface TokenAuthentication {
  readonly verifier: TokenVerifier
  readonly entities: Pick<TokenEntities, 'note'>
}

/** What a token states about its caller. */
export interface TokenCaller {
  /** The entity to decide by, which is not stored. */
  readonly entity: Entity
  /** The user, who takes precedence over those that a request names. */
  readonly user: TokenIdentity['user']
}

/**
 * The authenticated client. On `/v1` there is always an entity: the caller's own, or the one that an admin names in
 * X-Zael-Entity. `organization` is the entity's root ancestor, or itself; `entity.models` are those that its ancestors allow
 * too.
 */
export type Identity =
  | {
      readonly kind: 'caller'
      readonly entityId: string
      readonly entity: Entity
      readonly organization: string
      /** Undefined: the caller has a key. */
      readonly token: TokenCaller | undefined
    }
  | {
      readonly kind: 'admin' | 'viewer'
      readonly entityId: string | null
      readonly entity: Entity | null
      readonly organization: string | null
    }

/** The identity for `/v1` routes, which acts for an entity. */
export interface ActingIdentity {
  readonly kind: 'caller' | 'admin'
  readonly entityId: string
  readonly entity: Entity
  readonly organization: string
  readonly token?: TokenCaller | undefined
}

/** The variables that middleware sets for routes. */
export interface AppEnv {
  Variables: {
    readonly requestId: string
    readonly responseContext: ResponseContext
    /** The maximum size of this request's body, in bytes. */
    readonly maxBodyBytes: number
    /** On all routes that are not open. */
    readonly identity: Identity
    /** On `/v1`; undefined if an admin or viewer only reads and names no entity. */
    readonly acting: ActingIdentity
  }
}

/** The services of the admin routes. */
export interface AdminServices {
  readonly entities: EntityService
  readonly keys: KeyService
  readonly models: ModelService
  readonly upstreams: UpstreamService
  readonly alerts: AlertService
  readonly limitSets: LimitSetService
  readonly policies: PolicyService
  readonly buckets: BucketService
}
