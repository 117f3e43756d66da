import { createMemoryIdempotencyStore } from '../../support/memory-request-stores.ts'
import { idempotencyStoreContract } from '../idempotency-store-contract.ts'

const store = createMemoryIdempotencyStore()
idempotencyStoreContract('memory', () => store)
