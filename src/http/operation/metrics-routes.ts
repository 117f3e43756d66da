import { Hono } from 'hono'
import * as v from 'valibot'
import type { AppEnv } from '../app-dependencies.ts'
import { described } from '../docs/described.ts'

const description = described({
  tag: 'Operation',
  summary: 'Show the counters of this process as Prometheus text',
  answer: v.string(),
  mediaType: 'text/plain',
})

export const createMetricsRoutes = (metricsText: () => Promise<string>) =>
  new Hono<AppEnv>().get('/', description, async (c) =>
    c.body(await metricsText(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }),
  )
