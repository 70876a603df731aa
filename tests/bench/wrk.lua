-- wrk -s wrk.lua URL -- FILE FIRST: sends the requests of FILE in turn, each with an id that was never sent before.
-- FILE is lines of two lengths, each followed by so many bytes: what is before the id of 12 digits, and after it. Where
-- the second is -1, the first is the whole request.

local before, after, turn, number = {}, {}, 0, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  number = tonumber(args[2])
  while true do
    local first, second = file:read("*n", "*n")
    if not first then break end
    file:read(1)
    before[#before + 1] = file:read(first)
    after[#before] = second >= 0 and file:read(second)
  end
  file:close()
end

function request()
  turn, number = turn % #before + 1, number + 1
  if not after[turn] then return before[turn] end
  return before[turn] .. string.format("%012d", number) .. after[turn]
end

function done(summary, latency, _)
  local wrong = summary.errors
  io.write(string.format(
    '\n{"answers": %d, "refused": %d, "broken": %d, "wall_s": %.6f, "p50_ms": %.4f, "p99_ms": %.4f}\n',
    summary.requests, wrong.status, wrong.connect + wrong.read + wrong.write + wrong.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
  ))
end
