import { createMemoryReservationStore } from '../../support/memory-request-stores.ts'
import { reservationStoreContract } from '../reservation-store-contract.ts'

const store = createMemoryReservationStore()
reservationStoreContract('memory', () => store)
