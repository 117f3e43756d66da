import { createRateLimiter, memoryStore } from 'zael'

const limiter = createRateLimiter({
  store: memoryStore(),
  limits: [{ name: 'rps', capacity: 2, refill_rate: 0.001 }],
})
const answers = []
for (let i = 0; i < 3; i++) answers.push((await limiter.check('203.0.113.7')).allowed)
// The limiter stays open: its timer must not keep this process alive.
if (answers.join() !== 'true,true,false') throw new Error(`two of three should pass: ${answers}`)
