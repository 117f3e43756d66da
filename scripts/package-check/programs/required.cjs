// Node takes ES modules here as well, as long as none of them awaits at its top level.
const { createRateLimiter, memoryStore } = require('zael')

const limiter = createRateLimiter({
  store: memoryStore(),
  limits: [{ name: 'rps', capacity: 1, refill_rate: 1 }],
})
limiter.check('a').then(({ allowed }) => {
  if (!allowed) throw new Error('the first request should pass')
})
