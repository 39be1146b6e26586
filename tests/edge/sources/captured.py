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

# A Zigbee plug behind Zigbee2MQTT.
ZIGBEE = b'{"current":0,"energy":1.92,"linkquality":102,"power":0,"state":"ON","voltage":233}'
# A Tuya plug behind an SLS gateway, which writes last_seen in seconds, 2023-11 (shortened at its end).
ZIGBEE_SLS = (
    b'{"backlight_mode":"OFF","child_lock":false,"current":0,"energy":0,"last_seen":1700015792,'
    b'"linkquality":123,"power":0,"state":"ON","voltage":225}'
)

# A node's sensor, as ESPHome's documents write its values.
ESPHOME_POWER = b"12.3"
