# syntax=docker/dockerfile:1

# Everything, to build the admin pages.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build --if-present

# What runs. The optional packages stay: the embedded PostgreSQL is one of them.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    CONCORD_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/bin bin
COPY --from=build /app/config config
COPY --from=build /app/migrations migrations
COPY --from=build /app/src src
RUN ln -s /app/bin/concord.js /usr/local/bin/concord && install -d -m 700 -o node -g node /data

USER node
# The embedded database lives here: keep it in a volume, or set DATABASE_URL and need none.
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["concord", "start"]
