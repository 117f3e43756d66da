import type { BucketService } from '../../core/admin/bucket-service.ts'
import type { EntityService } from '../../core/admin/entity-service.ts'
import type { KeyService } from '../../core/admin/key-service.ts'
import type { LimitSetService } from '../../core/admin/limit-set-service.ts'
import type { ModelService } from '../../core/admin/model-service.ts'
import type { PolicyService } from '../../core/policy/policy-service.ts'

/** What the admin routes ask to be done. */
export interface AdminServices {
  readonly entities: EntityService
  readonly keys: KeyService
  readonly models: ModelService
  readonly limitSets: LimitSetService
  readonly policies: PolicyService
  readonly buckets: BucketService
}
