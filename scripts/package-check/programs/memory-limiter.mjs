import { createRateLimiter, memoryStore } from 'zael'

const limiter = createRateLimiter({
  store: memoryStore(),
  limits: [{ name: 'rps', capacity: 2, refill_rate: 0.001 }],
})
const allowed = []
for (let i = 0; i < 3; i++) allowed.push((await limiter.check('203.0.113.7')).allowed)
// The limiter stays open: its timer must not keep this process alive.
if (allowed.join() !== 'true,true,false') throw new Error(`two of three should pass: ${allowed}`)

const text = JSON.stringify(await limiter.check('203.0.113.7'))
if (JSON.parse(text).allowed !== false) throw new Error(`a decision should be plain data: ${text}`)
const error = await limiter.check('203.0.113.7', { cost: { request: 1 } }).catch((thrown) => thrown)
if (!(error instanceof TypeError) || error.field !== 'cost.request') throw error
