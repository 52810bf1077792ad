-- Shows socktool's frames in Wireshark and tshark: a 2-byte length, a JSON header, content.
--
-- Put this file into Wireshark's folder of personal Lua plugins (Help > About Wireshark > Folders).
-- It needs no other file. Ports 5634 and 5635 are always read as frames, any other TCP port where
-- what is on it looks like frames.

local MAX_HEADER_DEPTH = 32
local MAX_HEADER_MEMBERS = 1000
local MAX_SAFE_INTEGER = 9007199254740991

local socktool = Proto("socktool", "socktool frame")

local f = socktool.fields
f.header_length = ProtoField.uint16("socktool.header_length", "Header length")
f.header = ProtoField.string("socktool.header", "Header")
f.byteorder = ProtoField.string("socktool.byteorder", "Byte order")
f.content_type = ProtoField.string("socktool.content_type", "Content type")
f.content_encoding = ProtoField.string("socktool.content_encoding", "Content encoding")
f.content_length = ProtoField.uint64("socktool.content_length", "Content length")
f.op = ProtoField.string("socktool.op", "Operation")
f.action = ProtoField.string("socktool.action", "Action")
f.topic = ProtoField.string("socktool.topic", "Topic")
f.id = ProtoField.string("socktool.id", "Id")
f.code = ProtoField.string("socktool.code", "Error code")
f.field = ProtoField.string("socktool.field", "Field")
f.content = ProtoField.bytes("socktool.content", "Content")
f.text = ProtoField.string("socktool.text", "Text")
f.broken = ProtoField.string("socktool.broken", "Broken frame")

local broken_frame = ProtoExpert.new(
  "socktool.broken.expert", "Broken frame", expert.group.MALFORMED, expert.severity.ERROR)
socktool.experts = { broken_frame }

socktool.prefs.max_content = Pref.uint(
  "Largest content in bytes", 16777216, "Frames with more content are shown without it")

-- JSON ---------------------------------------------------------------------------------------

-- A reader of JSON text. It accepts what JSON.parse of JavaScript does, and nothing else. Each
-- function returns a value and the place behind it, or nil and a reason.

local NULL = {}

local ESCAPES = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}

-- A character by its number, in UTF-8.
local function utf8_char(code)
  local floor = math.floor
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return string.char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return string.char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64,
    0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- Halves of a character that stand alone have no form in UTF-8.
local REPLACEMENT = "\239\191\189"

local function skip_space(text, at)
  return text:find("[^ \t\n\r]", at) or #text + 1
end

local function read_escape(text, at)
  local kind = text:sub(at, at)
  if kind ~= "u" then
    local char = ESCAPES[kind]
    if not char then return nil, "bad escape" end
    return char, at + 1
  end
  local digits = text:match("^%x%x%x%x", at + 1)
  if not digits then return nil, "bad escape" end
  local code = tonumber(digits, 16)
  at = at + 5
  if code >= 0xD800 and code <= 0xDBFF then
    local low = text:match("^\\u([dD][c-fC-F]%x%x)", at)
    if low then
      return utf8_char(0x10000 + (code - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00), at + 6
    end
  end
  if code >= 0xD800 and code <= 0xDFFF then return REPLACEMENT, at end
  return utf8_char(code), at
end

-- `at` is behind the opening quote.
local function read_string(text, at)
  local parts = {}
  while true do
    local stop = text:find('[%c"\\]', at)
    -- DEL is a control to Lua, but not to JSON.
    while stop and text:byte(stop) == 127 do stop = text:find('[%c"\\]', stop + 1) end
    if not stop then return nil, "text without an end" end
    parts[#parts + 1] = text:sub(at, stop - 1)
    local char = text:sub(stop, stop)
    if char == '"' then return table.concat(parts), stop + 1 end
    if char ~= "\\" then return nil, "control character in a text" end
    local escaped, next_at = read_escape(text, stop + 1)
    if not escaped then return nil, next_at end
    parts[#parts + 1] = escaped
    at = next_at
  end
end

local function read_number(text, at)
  local whole = text:match("^-?0", at) or text:match("^-?[1-9]%d*", at)
  if not whole then return nil, "not JSON" end
  local stop = at + #whole
  local fraction = text:match("^%.%d+", stop)
  if fraction then stop = stop + #fraction end
  local exponent = text:match("^[eE][+-]?%d+", stop)
  if exponent then stop = stop + #exponent end
  return tonumber(text:sub(at, stop - 1)) or 0, stop
end

local read_value

local function read_list(text, at)
  local list = {}
  at = skip_space(text, at)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    local value
    value, at = read_value(text, at)
    if value == nil then return nil, at end
    list[#list + 1] = value
    at = skip_space(text, at)
    local char = text:sub(at, at)
    if char == "]" then return list, at + 1 end
    if char ~= "," then return nil, "not JSON" end
    at = at + 1
  end
end

-- An object keeps its members in `order` too: the name, the value and the JSON of it.
local function read_object(text, at)
  local object = { members = {}, order = {} }
  at = skip_space(text, at)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    at = skip_space(text, at)
    if text:sub(at, at) ~= '"' then return nil, "not JSON" end
    local name, value
    name, at = read_string(text, at + 1)
    if name == nil then return nil, at end
    at = skip_space(text, at)
    if text:sub(at, at) ~= ":" then return nil, "not JSON" end
    local start = skip_space(text, at + 1)
    value, at = read_value(text, start)
    if value == nil then return nil, at end
    object.members[name] = value
    object.order[#object.order + 1] = { name = name, value = value, json = text:sub(start, at - 1) }
    at = skip_space(text, at)
    local char = text:sub(at, at)
    if char == "}" then return object, at + 1 end
    if char ~= "," then return nil, "not JSON" end
    at = at + 1
  end
end

local WORDS = { ["true"] = true, ["false"] = false, ["null"] = NULL }

function read_value(text, at)
  at = skip_space(text, at)
  local char = text:sub(at, at)
  if char == '"' then return read_string(text, at + 1) end
  if char == "{" or char == "[" then
    local read = char == "{" and read_object or read_list
    return read(text, at + 1)
  end
  local word = text:match("^%l+", at)
  if word and WORDS[word] ~= nil then
    -- false is a value, but to Lua no truth: it is kept as a text.
    local value = WORDS[word]
    if value == false then value = "false" end
    return value, at + #word
  end
  return read_number(text, at)
end

-- What makes a text too costly to read, if anything does: looked at before anything is made of it.
local function nesting_problem(text, max_depth, max_members)
  local depth, members, at = 0, 0, 1
  while true do
    at = text:find('["%[%]{},]', at)
    if not at then return nil end
    local char = text:sub(at, at)
    if char == '"' then
      local _, stop = read_string(text, at + 1)
      -- Whatever is wrong with the text is found when it is read.
      if type(stop) ~= "number" then return nil end
      at = stop - 1
    elseif char == "]" or char == "}" then depth = depth - 1
    else
      members = members + 1
      if char ~= "," then depth = depth + 1 end
      if depth > max_depth then return "it nests too deeply" end
      if members > max_members then return "it has too many members" end
    end
    at = at + 1
  end
end

-- Reads a whole text of JSON. Returns an object, or nil and the reason.
local function parse_object(text, max_depth, max_members)
  local problem = nesting_problem(text, max_depth, max_members)
  if problem then return nil, problem end
  local start = skip_space(text, 1)
  if text:sub(start, start) ~= "{" then return nil, "not a JSON object" end
  local value, at = read_value(text, start)
  if value == nil then return nil, at end
  if skip_space(text, at) <= #text then return nil, "text behind the object" end
  return value
end

-- UTF-8 --------------------------------------------------------------------------------------

-- Whether bytes are UTF-8: no overlong forms, no halves of characters, nothing above U+10FFFF.
local function is_utf8(text)
  local at = 1
  while true do
    at = text:find("[\128-\255]", at)
    if not at then return true end
    local lead = text:byte(at)
    local pattern
    if lead >= 0xC2 and lead <= 0xDF then pattern = "^[\128-\191]"
    elseif lead == 0xE0 then pattern = "^[\160-\191][\128-\191]"
    elseif lead == 0xED then pattern = "^[\128-\159][\128-\191]"
    elseif lead >= 0xE1 and lead <= 0xEF then pattern = "^[\128-\191][\128-\191]"
    elseif lead == 0xF0 then pattern = "^[\144-\191][\128-\191][\128-\191]"
    elseif lead >= 0xF1 and lead <= 0xF3 then pattern = "^[\128-\191][\128-\191][\128-\191]"
    elseif lead == 0xF4 then pattern = "^[\128-\143][\128-\191][\128-\191]"
    else return false end
    local rest = text:match(pattern, at + 1)
    if not rest then return false end
    at = at + 1 + #rest
  end
end

-- Frames -------------------------------------------------------------------------------------

local FOUR = {
  ["byteorder"] = true, ["content-type"] = true, ["content-encoding"] = true,
  ["content-length"] = true,
}

-- Reads a header. Returns its object and the content's length, or nil, a code and a message.
local function read_header(text)
  if not is_utf8(text) then return nil, "header-syntax", "The header is not UTF-8" end
  local header, reason = parse_object(text, MAX_HEADER_DEPTH, MAX_HEADER_MEMBERS)
  if not header then return nil, "header-syntax", "The header cannot be read: " .. reason end
  -- What stands in the text as a text, and no number or null.
  local function is_text(name)
    local value = header.members[name]
    if type(value) ~= "string" then return false end
    for i = #header.order, 1, -1 do
      local member = header.order[i]
      if member.name == name then return member.json:sub(1, 1) == '"' end
    end
  end
  local order = header.members["byteorder"]
  if not is_text("byteorder") or (order ~= "little" and order ~= "big") then
    return nil, "header-field", "The field byteorder is missing or wrong"
  end
  for _, name in ipairs({ "content-type", "content-encoding" }) do
    if not is_text(name) then
      return nil, "header-field", "The field " .. name .. " is missing or wrong"
    end
  end
  local length = header.members["content-length"]
  if type(length) ~= "number" or length < 0 or length > MAX_SAFE_INTEGER
    or length ~= math.floor(length) then
    return nil, "header-field", "The field content-length is missing or wrong"
  end
  return header, length
end

-- How many more bytes are needed of a frame that begins at `offset`; 0 if it is whole. Then the
-- header is returned too, or nil with the code and message of what is wrong.
local function look_at_frame(tvb, offset)
  local have = tvb:len() - offset
  if have < 2 then return 2 - have end
  local header_length = tvb(offset, 2):uint()
  if header_length == 0 then return 0, nil, "header-syntax", "The header length is 0" end
  if have >= 3 then
    local first = tvb(offset + 2, 1):uint()
    if first ~= 0x7b and first ~= 0x20 and first ~= 0x09 and first ~= 0x0a and first ~= 0x0d then
      return 0, nil, "header-syntax", "The header is not a JSON object"
    end
  end
  if have < 2 + header_length then return 2 + header_length - have end
  local header, length, message = read_header(tvb:raw(offset + 2, header_length))
  if not header then return 0, nil, length, message end
  if length > socktool.prefs.max_content then
    return 0, nil, "frame-too-large", string.format("A content of %.0f bytes", length)
  end
  local total = 2 + header_length + length
  if have < total then return total - have end
  return 0, header, header_length, length
end

local function is_latin1(encoding)
  encoding = encoding:lower():gsub("_", "-")
  return encoding == "latin-1" or encoding == "latin1" or encoding == "iso-8859-1"
    or encoding == "windows-1252" or encoding == "ascii" or encoding == "us-ascii"
end

-- The content as text in UTF-8, if its encoding is one that is understood here.
local function text_of(range, header)
  local encoding = header.members["content-encoding"]:lower():gsub("_", "-")
  if encoding == "utf-8" or encoding == "utf8" or encoding == "utf-8-sig" then
    local text = range:raw()
    if text:sub(1, 3) == "\239\187\191" then text = text:sub(4) end
    return is_utf8(text) and text or nil
  end
  if is_latin1(encoding) then
    return (range:raw():gsub("[\128-\255]", function(char) return utf8_char(char:byte()) end))
  end
  if encoding:match("^utf%-?16") and range:len() >= 2 then
    local mark = range(0, 2):uint()
    local little = header.members["byteorder"] == "little"
    if mark == 0xFFFE or mark == 0xFEFF then
      if range:len() == 2 then return "" end
      little = mark == 0xFFFE
      range = range(2, range:len() - 2)
    elseif encoding:match("le$") then little = true
    elseif encoding:match("be$") then little = false end
    return little and range:le_ustring() or range:ustring()
  end
end

-- Adds a header field's item; the bytes of a header's fields are not told apart.
local function add_header(tree, range, header)
  local item = tree:add(f.header, range, range:raw())
  item:add(f.byteorder, range, header.members["byteorder"])
  item:add(f.content_type, range, header.members["content-type"])
  item:add(f.content_encoding, range, header.members["content-encoding"])
  local length = UInt64.new(header.members["content-length"] % 4294967296,
    math.floor(header.members["content-length"] / 4294967296))
  item:add(f.content_length, range, length)
  local last = {}
  for i, member in ipairs(header.order) do last[member.name] = i end
  for i, member in ipairs(header.order) do
    -- Of fields with the same name the last one counts.
    if last[member.name] == i and not FOUR[member.name] then
      local shown = member.json:sub(1, 1) == '"' and member.value or member.json
      if member.name == "op" then item:add(f.op, range, shown)
      elseif member.name == "topic" then item:add(f.topic, range, shown)
      elseif member.name == "id" then item:add(f.id, range, shown)
      elseif member.name == "code" then item:add(f.code, range, shown) end
      item:add(f.field, range, member.name .. ": " .. member.json)
    end
  end
end

-- What a frame is for: its operation, the action in its content, or its content type.
local function add_content(tree, range, header)
  tree:add(f.content, range)
  local text = text_of(range, header)
  if not text then return end
  tree:add(f.text, range, text)
  if header.members["content-type"] ~= "text/json" or header.members["op"] then return end
  local content = parse_object(text, 200, 100000)
  if not content then return end
  local action = content.members["action"]
  if type(action) == "string" then tree:add(f.action, range, action) end
  local told = content.members["error"]
  if type(told) == "table" and told.members and type(told.members["code"]) == "string" then
    tree:add(f.code, range, told.members["code"])
  end
  return type(action) == "string" and action
    or content.members["result"] ~= nil and "answer" or nil
end

-- Shows the frame at `offset`. Returns where the next one begins.
local function show_frame(tvb, offset, tree, header, header_length, content_length)
  local total = 2 + header_length + content_length
  local item = tree:add(socktool, tvb(offset, total))
  item:add(f.header_length, tvb(offset, 2))
  add_header(item, tvb(offset + 2, header_length), header)
  local kind
  if content_length > 0 then
    kind = add_content(item, tvb(offset + 2 + header_length, content_length), header)
  end
  local op = header.members["op"]
  local summary = type(op) == "string" and op or kind or header.members["content-type"]
  local topic = header.members["topic"]
  if type(topic) == "string" then summary = summary .. " " .. topic end
  summary = summary:gsub("%c", ".")
  item:append_text(": " .. summary)
  return offset + total, summary
end

function socktool.dissector(tvb, pinfo, tree)
  local offset = 0
  local summaries = {}
  while offset < tvb:len() do
    local missing, header, header_length, content_length = look_at_frame(tvb, offset)
    if missing > 0 then
      pinfo.desegment_offset = offset
      pinfo.desegment_len = missing
      break
    end
    if not header then
      local code, message = header_length, content_length
      local item = tree:add(socktool, tvb(offset))
      item:append_text(": broken, " .. code)
      item:add(f.broken, tvb(offset), code)
      item:add_proto_expert_info(broken_frame, code .. ": " .. message)
      summaries[#summaries + 1] = code
      offset = tvb:len()
    else
      local summary
      offset, summary = show_frame(tvb, offset, tree, header, header_length, content_length)
      summaries[#summaries + 1] = summary
    end
  end
  if #summaries > 0 then
    pinfo.cols.protocol = "socktool"
    pinfo.cols.info = table.concat(summaries, " | ")
  end
  return tvb:len()
end

-- Headers that are written by programs have at least the four fields, and few bytes more.
local LEAST_HEADER = 80
local MOST_HEADER = 8191

-- Whether bytes on a port that is not known look like the beginning of a frame. What is there of
-- the header must be right; where it is whole, all of it.
local function looks_like_frame(tvb)
  local have = tvb:len()
  if have < 2 then return have == 1 and tvb(0, 1):uint() <= 1 end
  local header_length = tvb(0, 2):uint()
  if header_length < LEAST_HEADER or header_length > MOST_HEADER then return false end
  if have >= 2 + header_length then return read_header(tvb:raw(2, header_length)) ~= nil end
  if have == 2 then return true end
  local start = tvb:raw(2, have - 2)
  local stop = start:find("[^ \t\n\r]", 2) or #start + 1
  if start:sub(1, 1) ~= "{" then return false end
  return stop > #start or start:sub(stop, stop) == '"'
end

socktool:register_heuristic("tcp", function(tvb, pinfo, tree)
  if not looks_like_frame(tvb) then return false end
  -- With the whole header there is no doubt; before, other protocols may be tried again.
  if tvb:len() > 2 then pinfo.conversation = socktool end
  socktool.dissector(tvb, pinfo, tree)
  return true
end)

DissectorTable.get("tcp.port"):add("5634-5635", socktool)
