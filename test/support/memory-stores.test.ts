import { adminStoreContract } from '../store/admin-store-contract.ts'
import { idempotencyStoreContract } from '../store/idempotency-store-contract.ts'
import { reservationStoreContract } from '../store/reservation-store-contract.ts'
import { usageStoreContract } from '../store/usage-store-contract.ts'
import { createMemoryAdminStore } from './memory-admin-store.ts'
import { createMemoryIdempotencyStore, createMemoryReservationStore } from './memory-request-stores.ts'
import { createMemoryUsageStore } from './memory-usage-store.ts'

const adminStore = createMemoryAdminStore()

adminStoreContract('memory', () => adminStore)

const usageStore = createMemoryUsageStore()

usageStoreContract('memory', () => usageStore)

const idempotencyStore = createMemoryIdempotencyStore()

idempotencyStoreContract('memory', () => idempotencyStore)

const reservationStore = createMemoryReservationStore()

reservationStoreContract('memory', () => reservationStore)
