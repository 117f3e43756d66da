import { createMemoryAdminStore } from '../../../src/store/memory/memory-admin-store.ts'
import { adminStoreContract } from '../admin-store-contract.ts'

const store = createMemoryAdminStore()
adminStoreContract('memory', () => store)
