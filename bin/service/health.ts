// The health check of the container, whose image has no shell and no curl: exits with 0 if the service responds.
const PATIENCE_MS = 3_000

const response = await fetch(`http://127.0.0.1:${process.env.PORT || 8080}/health`, {
  signal: AbortSignal.timeout(PATIENCE_MS),
})
process.exit(response.ok ? 0 : 1)
