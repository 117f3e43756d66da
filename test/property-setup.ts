import fc from 'fast-check'
import { runs } from './property-runs.ts'

// of properties that state no number, for which fast-check tries 100
fc.configureGlobal({ numRuns: runs(100) })
