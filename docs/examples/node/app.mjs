// A Node application on the environment that provisioner writes:
//
//   provisioner outputs plans/aws-credlink.yaml -e production --file .env --reveal
//   npm install pg redis dotenv && node app.mjs
//
// DATABASE_URL, DATABASE_SSL, REDIS_URL, REDIS_TLS, S3_BUCKET, AWS_REGION, NODE_ENV, PORT and LOG_LEVEL are in it.
import "dotenv/config";
import { createServer } from "node:http";
import pg from "pg";
import { createClient } from "redis";

const wanted = ["DATABASE_URL", "REDIS_URL", "S3_BUCKET", "AWS_REGION", "PORT"];
const missing = wanted.filter((name) => !process.env[name]);
if (missing.length) {
  console.error(`not set: ${missing.join(", ")}; provisioner outputs PLAN --file .env --reveal writes them`);
  process.exit(1);
}

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10, idleTimeoutMillis: 30_000 });
const cache = createClient({ url: process.env.REDIS_URL });
cache.on("error", (error) => console.error("redis:", error.message));
await cache.connect();

createServer(async (request, response) => {
  if (request.url !== "/health") {
    response.writeHead(404).end();
    return;
  }
  try {
    const { rows } = await pool.query("SELECT current_user AS name");
    const pong = await cache.ping();
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ database: rows[0].name, cache: pong }));
  } catch (error) {
    console.error("health:", error.message);
    response.writeHead(503).end();
  }
}).listen(Number(process.env.PORT));
