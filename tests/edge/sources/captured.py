"""What real plugs published, with where it was found; the tests of sources and of discovery share it."""

from __future__ import annotations

# A Shelly Plug S, shellies/shelly-plug-s1/..., as an exporter's manual keeps it, 2023.
GEN1_POWER = b"20.58"
GEN1_ENERGY = b"94736"
# A Shelly 3EM, .../emeter/0/..., 2022-08.
GEN1_METER_POWER = b"0.00"
GEN1_METER_TOTAL = b"0.0"

# A Shelly Plus 1PM, shellies/plus1pm/status/switch:0, 2022-08-26.
GEN2_STATUS = (
    b'{"id":0, "source":"WS_in", "output":true, "apower":0.0, "voltage":232.6, "current":0.000, '
    b'"aenergy":{"total":0.000,"by_minute":[0.000,0.000,0.000],"minute_ts":1661517429},'
    b'"temperature":{"tC":46.0, "tF":114.7}}'
)
# A Shelly plug, status/switch:0, 2023-02-06 (evcc-io/evcc, its tests).
GEN2_WORKING = (
    b'{"id":0,"source":"HTTP","output":false,"apower":47.11,"voltage":232.0,"current":0.000,"pf":0.00,'
    b'"aenergy":{"total":5.125,"by_minute":[0,0,0],"minute_ts":1675718520},'
    b'"temperature":{"tC":25.3,"tF":77.5}}'
)
# A Shelly Plus 1PM at work, .../events/rpc, 2024-02-19 (the project shelldown).
GEN2_POWER_CHANGED = (
    b'{"src":"shellyplus1pm-4417939a5610","dst":"shellyplus1pm-4417939a5610/events",'
    b'"method":"NotifyStatus","params":{"ts":1708326854.50,"switch:0":{"id":0,"apower":1800.50}}}'
)
GEN2_VOLTAGE_CHANGED = (
    b'{"src":"shellyplus1pm-4417939a5610","dst":"shellyplus1pm-4417939a5610/events",'
    b'"method":"NotifyStatus","params":{"ts":1708326851.41,"switch:0":{"id":0,"output":true,'
    b'"source":"MQTT","voltage":224.18}}}'
)
# A Shelly Pro 4PM, its second and its fourth output, 2023-01-30 and 2023-02-09.
GEN2_SECOND_CHANGED = (
    b'{"src":"shellypro4pm-30c6f784e78c","dst":"shelly1/events","method":"NotifyStatus","params":'
    b'{"ts":1675072985.86,"switch:1":{"id":1,"apower":0,"current":0,"output":false,"pf":0,"source":"UI"}}}'
)
GEN2_FOURTH_COUNTED = (
    b'{"src":"shellypro4pm-30c6f784e78c","dst":"shelly1/events","method":"NotifyStatus","params":'
    b'{"ts":1675935540.54,"switch:3":{"id":3,"aenergy":{"by_minute":[0.000,0.000,0.000],'
    b'"minute_ts":1675935539,"total":0.000}}}}'
)
# A Shelly Plus H&T: no plug, and everything at once, 2023-01-23 (shortened at its end).
GEN2_FULL_OF_ANOTHER = (
    b'{"src":"shellyplusht-08b61fce63c4","dst":"shelly-ht/shelly-plus-ht-01/events","method":'
    b'"NotifyFullStatus","params":{"ts":1674473304.12,"ble":{},"cloud":{"connected":false},'
    b'"devicepower:0":{"id": 0,"battery":{"V":6.17, "percent":100},"external":{"present":false}},'
    b'"ht_ui":{},"humidity:0":{"id": 0,"rh":54.3},"mqtt":{"connected":true}}}'
)
# A Shelly PM Mini Gen3, its status, 2024-07-02 (evcc-io/evcc, its tests; its network's part left out).
PM_MINI = (
    b'{"id":0, "voltage":239.9, "current":7.434, "apower":1780.1 ,"freq":50.1,"aenergy":{"total":3551.682,'
    b'"by_minute":[15234.772,29611.247,29825.821],"minute_ts":1719917850},"ret_aenergy":{"total":0.000,'
    b'"by_minute":[0.000,0.000,0.000],"minute_ts":1719917850}}'
)
PM_MINI_WHOLE = (
    b'{"ble":{},"cloud":{"connected":true},"mqtt":{"connected":false},"pm1:0":'
    + PM_MINI
    + b',"sys":{"mac":"84FCE638D818","restart_required":false,"time":"12:57","unixtime":1719917851}}'
)
# A Shelly Pro 3EM as three meters of one phase, 2024-11-12 (evcc-io/evcc, its tests; shortened at its end).
PRO_3EM_SINGLE_WHOLE = (
    b'{"ble":{},"bthome":{"errors":["bluetooth_disabled"]},"cloud":{"connected":true},'
    b'"em1:0":{"id":0,"current":3.705,"voltage":242.8,"act_power":598.9,"aprt_power":900.6,"pf":0.66,'
    b'"freq":50.0,"calibration":"factory"},'
    b'"em1:1":{"id":1,"current":0.194,"voltage":242.8,"act_power":0.0,"aprt_power":47.2,"pf":0.00,'
    b'"freq":50.0,"calibration":"factory"},'
    b'"em1:2":{"id":2,"current":0.027,"voltage":242.8,"act_power":0.0,"aprt_power":6.6,"pf":0.00,'
    b'"freq":50.0,"calibration":"factory"},'
    b'"em1data:0":{"id":0,"total_act_energy":3458.24,"total_act_ret_energy":1605.24},'
    b'"em1data:1":{"id":1,"total_act_energy":2768.67,"total_act_ret_energy":25.49},'
    b'"em1data:2":{"id":2,"total_act_energy":3.09,"total_act_ret_energy":0.71},'
    b'"eth":{"ip":null},"modbus":{},"mqtt":{"connected":false}}'
)
# The params of a Shelly Pro EM's notification, 2025-01-30.
EM1_CHANGED = (
    b'{"ts":1738256744.19,"em1:0":{"id":0,"act_power":1.2,"aprt_power":19.0,"current":0.081,'
    b'"freq":50.0,"pf":0.07,"voltage":235.2}}'
)
# A Shelly Pro EM-50, .../status/em1:1 (YaSolR, its manual).
EM1_STATUS = (
    b'{"id":1,"current":2.681,"voltage":236.7,"act_power":607.3,"aprt_power":636.0,"pf":0.95,"freq":50.0,'
    b'"calibration":"factory"}'
)
# A Shelly Pro 3EM as one meter of three phases, its answer to Shelly.GetStatus, 2023-05-01 (shortened).
PRO_3EM = (
    b'{"id":0,"a_current":3.761,"a_voltage":121.7,"a_act_power":342.8,"a_aprt_power":457.5,"a_pf":-0.80,'
    b'"b_current":8.109,"b_voltage":121.0,"b_act_power":957.3,"b_aprt_power":980.7,"b_pf":-0.98,'
    b'"c_current":0.025,"c_voltage":121.7,"c_act_power":0.2,"c_aprt_power":3.1,"c_pf":-1.00,'
    b'"n_current":null,"total_current":11.896,"total_act_power":1300.252,"total_aprt_power":1441.226, '
    b'"user_calibrated_phase":[]}'
)
PRO_3EM_DATA = (
    b'{"id":0,"a_total_act_energy":1075513.08,"a_total_act_ret_energy":0.00,'
    b'"b_total_act_energy":1776542.72,"b_total_act_ret_energy":0.00,"c_total_act_energy":0.01,'
    b'"c_total_act_ret_energy":0.00,"total_act":2852055.81, "total_act_ret":0.00}'
)
PRO_3EM_WHOLE = (
    b'{"ble":{},"cloud":{"connected":true},"em:0":'
    + PRO_3EM
    + b',"emdata:0":'
    + PRO_3EM_DATA
    + b',"eth":{"ip":null},"modbus":{},"mqtt":{"connected":true}}'
)

# A Zigbee plug behind Zigbee2MQTT.
ZIGBEE = b'{"current":0,"energy":1.92,"linkquality":102,"power":0,"state":"ON","voltage":233}'
# A Tuya plug behind an SLS gateway, which writes last_seen in seconds, 2023-11 (shortened at its end).
ZIGBEE_SLS = (
    b'{"backlight_mode":"OFF","child_lock":false,"current":0,"energy":0,"last_seen":1700015792,'
    b'"linkquality":123,"power":0,"state":"ON","voltage":225}'
)

# A node's sensor, as ESPHome's documents write its values.
ESPHOME_POWER = b"12.3"
