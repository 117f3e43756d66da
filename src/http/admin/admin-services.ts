import type { BucketService } from '../../core/admin/buckets.ts'
import type { EntityService } from '../../core/admin/entities.ts'
import type { KeyService } from '../../core/admin/keys.ts'
import type { LimitSetService } from '../../core/admin/limits.ts'
import type { ModelService } from '../../core/admin/models.ts'
import type { PolicyService } from '../../core/admin/policies.ts'

/** What the admin routes ask to be done. */
export interface AdminServices {
  readonly entities: EntityService
  readonly keys: KeyService
  readonly models: ModelService
  readonly limitSets: LimitSetService
  readonly policies: PolicyService
  readonly buckets: BucketService
}
