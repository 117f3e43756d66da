export const HELP = `npm run load -- --api-keys KEY [options]

Sends requests to one node or several, each to a random one with a random key, and says how many passed, how many were
throttled (429), and how long the answers took. Ends by itself; Ctrl-C ends it sooner and prints what was measured.

  -n, --nodes URL             a node; repeat it, or put commas between. http://127.0.0.1:8080 unless told
  -k, --api-keys KEY          whose requests these are; repeat it, or put commas between
      --api-keys-file FILE    more keys, one a line; empty lines and those that begin with # are left out
      --allow-remote          nodes that are not on this machine

  -d, --duration SECONDS      how long; 10 unless told. Also 500ms, 10s, 2m, 1h
  -c, --concurrency N         callers at once, over all processes; 10 unless told
  -s, --stages LIST           in place of both: 5:10s,20:30s goes evenly to 5 callers in 10 s, then to 20 in 30 s
      --delay SECONDS         what each caller waits after an answer; 0 unless told
  -p, --processes N           processes that share the callers; 1 unless told
      --max-connections N     at once, over all nodes and processes; 4000 unless told
      --timeout SECONDS       a request without an answer is an error after it; 30 unless told

      --check                 ask /v1/limits/check instead of chatting
      --path PATH             send to this path instead
  -m, --model MODEL           gpt-4 unless told
      --message TEXT          what is said in chats
      --max-tokens N          what is asked for in chats, and charged in checks; 50 unless told
      --payload-cache-size N  how many different bodies are made, once, before the first request; 1024 unless told

      --json                  the result as JSON on stdout
  -h, --help                  this text

Exits with 1 if an option is wrong, no node can be reached, no request succeeded, or one of its processes ended early.
`
