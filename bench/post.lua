-- wrk's part: post messages that differ in id and chat, and say what came of it as JSON.
-- Arguments: a file with the body, and the number of the first message.

local head = "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: axios/1.12.2\r\n" ..
             "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
local parts, number

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local body = file:read("*a")
  file:close()
  number = tonumber(args[2])
  local before, chat, middle, id, after = body:match("^(.-)(CHATC)(.-)(IDIDIDIDIDIDIDID)(.*)$")
  parts = {head:format(wrk.path, #body) .. before, middle, after}
end

function request()
  number = number + 1
  return parts[1] .. ("%05d"):format(number % 200) .. parts[2] .. ("%016d"):format(number) .. parts[3]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(("\n{\"answers\":%d,\"seconds\":%f,\"failed\":%d,\"refused\":%d,\"p50\":%f,\"p99\":%f}\n"):format(
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.timeout,
    errors.status, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
