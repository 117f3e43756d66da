# The service of zael (bin/service.ts) on an existing table: docs/scaling.md.
#   docker build -t zael .
FROM node:24-slim AS build
WORKDIR /zael
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts/check-setup.cjs scripts/build-service.ts scripts/bundle-service.ts scripts/
COPY bin bin
COPY dashboard dashboard
COPY lib lib
COPY seed seed
COPY src src
RUN npm run build:service

# No shell, no package manager, no installed packages: Node and the bundle.
FROM gcr.io/distroless/nodejs24-debian13
WORKDIR /zael
COPY --from=build /zael/dist/service ./
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
EXPOSE 8080
# `nonroot` of the base image, as a number, by which Kubernetes verifies runAsNonRoot
USER 65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["/nodejs/bin/node", "health.mjs"]
CMD ["service.mjs"]
