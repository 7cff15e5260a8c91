// Payload formatter for Kiezbox uplinks: paste it into The Things Stack (Payload formatters, Uplink,
// Custom JavaScript formatter) or ChirpStack (Codec). docs/lorawan.md has the format.
//
// Put the box's sensors here, in the order of `sensors` in [publishers.lorawan], to see their names.
var NAMES = [];

var PORT = 2;

// code: [name, bytes, steps per unit, least]
var FIELDS = {
  1: ["temperature_c", 2, 100, -100],
  2: ["humidity_percent", 1, 2, 0],
  3: ["pressure_hpa", 2, 50, 300],
  4: ["pm1_ug_m3", 2, 10, 0],
  5: ["pm2_5_ug_m3", 2, 10, 0],
  6: ["pm4_ug_m3", 2, 10, 0],
  7: ["pm10_ug_m3", 2, 10, 0],
  8: ["no2_ug_m3", 2, 10, 0],
  9: ["o3_ug_m3", 2, 10, 0],
  10: ["co2_ppm", 2, 1, 0],
  11: ["gas_resistance_ohm", 3, 0.1, 0],
  12: ["voc_index", 2, 1, 0],
  13: ["nox_index", 2, 1, 0],
  14: ["laeq_db", 1, 2, 0],
  15: ["illuminance_lx", 3, 10, 0],
  16: ["rain_mm", 2, 100, 0],
  17: ["water_level_m", 2, 1000, -10],
  18: ["moisture_percent", 1, 2, 0],
  19: ["voltage_v", 2, 100, 0],
  20: ["current_a", 2, 100, -327.68],
  21: ["power_w", 2, 10, -3276.8],
  22: ["energy_wh", 3, 1, 0],
  23: ["charge_percent", 1, 2, 0],
  24: ["satellites", 1, 1, 0]
};

var QUALITIES = ["good", "suspect", "bad", "no value"];

// {data: {version, is_all, NAME: {QUANTITY: value}}, warnings, errors}; NAME is sensor_0 … sensor_7
// where NAMES does not know better. A value that is not good is not there, but in the warnings.
function decodeUplink(input) {
  var bytes = input.bytes;
  if (input.fPort !== PORT) {
    return { errors: ["port " + input.fPort + " is not ours; ours is " + PORT] };
  }
  if (!bytes.length || bytes[0] >> 4 !== 1) {
    return { errors: ["not a Kiezbox payload of version 1"] };
  }
  var data = { version: 1, is_all: (bytes[0] & 1) === 0 };
  var warnings = [];
  var at = 1;
  while (at < bytes.length) {
    var place = bytes[at] >> 5;
    var count = bytes[at] & 31;
    var name = NAMES[place] || "sensor_" + place;
    var values = data[name] || (data[name] = {});
    at += 1;
    for (; count > 0; count -= 1) {
      if (at >= bytes.length) {
        return { errors: ["the payload is cut off"] };
      }
      var field = FIELDS[bytes[at] >> 2];
      var quality = bytes[at] & 3;
      if (!field) {
        return { errors: ["unknown quantity " + (bytes[at] >> 2) + ": get a newer decoder.js"] };
      }
      at += 1;
      if (quality !== 0) {
        warnings.push(name + "/" + field[0] + ": " + QUALITIES[quality]);
        continue;
      }
      if (at + field[1] > bytes.length) {
        return { errors: ["the payload is cut off"] };
      }
      var number = 0;
      for (var i = 0; i < field[1]; i += 1) {
        number = number * 256 + bytes[at + i];
      }
      at += field[1];
      // Rounded, so that 12154 / 100 - 100 is 21.54 and not 21.540000000000006.
      values[field[0]] = Math.round((number / field[2] + field[3]) * 1000) / 1000;
    }
  }
  return { data: data, warnings: warnings };
}
