/** Preloaded into a server: replies to the message `cpu` with the processor time that the process has used, in µs. */
process.on('message', (message) => {
  if (message !== 'cpu') return
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.channel?.unref()
