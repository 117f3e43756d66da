import { createMemoryReservationStore } from '../../../src/store/memory/memory-reservation-store.ts'
import { reservationStoreContract } from '../reservation-store-contract.ts'

const store = createMemoryReservationStore()
reservationStoreContract('memory', () => store)
