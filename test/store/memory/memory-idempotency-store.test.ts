import { createMemoryIdempotencyStore } from '../../../src/store/memory/memory-idempotency-store.ts'
import { idempotencyStoreContract } from '../idempotency-store-contract.ts'

const store = createMemoryIdempotencyStore()
idempotencyStoreContract('memory', () => store)
