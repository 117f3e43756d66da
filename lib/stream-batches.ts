/**
 * How the stream's records come to the aggregator: all at once that come in the window, up to what Lambda takes (10,000
 * records, 6 MB). A batch writes each bucket's hour once, so larger batches cost fewer writes.
 */
export const STREAM_BATCHES = { size: 10_000, windowSeconds: 5 } as const
