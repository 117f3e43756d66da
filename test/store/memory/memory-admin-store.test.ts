import { createMemoryAdminStore } from '../../support/memory-admin-store.ts'
import { adminStoreContract } from '../admin-store-contract.ts'

const store = createMemoryAdminStore()
adminStoreContract('memory', () => store)
