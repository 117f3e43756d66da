import { createMemoryUsageStore } from '../../support/memory-usage-store.ts'
import { usageStoreContract } from '../usage-store-contract.ts'

const store = createMemoryUsageStore()
usageStoreContract('memory', () => store)
