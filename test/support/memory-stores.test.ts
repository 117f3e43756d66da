import { adminStoreSuite } from '../store/admin-store-suite.ts'
import { idempotencyStoreSuite } from '../store/idempotency-store-suite.ts'
import { reservationStoreSuite } from '../store/reservation-store-suite.ts'
import { responseStoreSuite } from '../store/response-store-suite.ts'
import { usageStoreSuite } from '../store/usage-store-suite.ts'
import { createMemoryAdminStore } from './memory-admin-store.ts'
import {
  createMemoryIdempotencyStore,
  createMemoryReservationStore,
  createMemoryResponseStore,
} from './memory-request-stores.ts'
import { createMemoryUsageStore } from './memory-usage-store.ts'

const adminStore = createMemoryAdminStore()

adminStoreSuite('memory', () => adminStore)

const usageStore = createMemoryUsageStore()

usageStoreSuite('memory', () => usageStore)

const idempotencyStore = createMemoryIdempotencyStore()

idempotencyStoreSuite('memory', () => idempotencyStore)

const reservationStore = createMemoryReservationStore()

reservationStoreSuite('memory', () => reservationStore)

const responseStore = createMemoryResponseStore()

responseStoreSuite('memory', () => responseStore)
