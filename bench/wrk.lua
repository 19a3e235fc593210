-- Asks the lines of a file in turn: a path, or a path, a tab and the body to post.
-- Arguments: the file, how many lines to skip, the mean pause of a connection between two requests in milliseconds.
local requests, at = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local path, body = line:match("^([^\t]*)\t(.*)$")
    requests[#requests + 1] = wrk.format(body and "POST" or "GET", path or line, nil, body)
  end
  at = tonumber(args[2]) % #requests
  mean = tonumber(args[3])
end

function request()
  at = at % #requests + 1
  return requests[at]
end

-- Pauses are drawn at random, so that the connections do not march in step.
function paused()
  return math.floor(-math.log(1 - math.random()) * mean + 0.5)
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\n{"rate": %f, "p50": %f, "p99": %f, "failed": %d}\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99), failed))
end
