#!/bin/sh
# Installs the @TITLE@ on this machine and starts it. Run it again to update.
#
#   curl -fsSL @URL@@FOLDER@/install.sh | @KEY@=... sh
#
# As root: in /opt/@NAME@, as a systemd service. Else: in ~/.local/share/@NAME@, to be started by you.
# PHAROS_AGENT_HOME chooses another folder. Other PHAROS_ settings of the agent are kept when they are set here.
set -eu

PHAROS_URL="${PHAROS_URL:-@URL@}"
wheel='@WHEEL@'

fail() {
    printf '@NAME@: %s\n' "$1" >&2
    exit 1
}

case "${@KEY@:-}" in
    '') fail 'set @KEY@ to the key that "@SHOWN_BY@" shows' ;;
    *[!A-Za-z0-9_-]*) fail '@KEY@ holds characters that no key has' ;;
esac
command -v python3 >/dev/null || fail 'python3 is missing; Python 3.@MINOR@ or newer is needed'
python3 -c 'import sys; sys.exit(sys.version_info < (3, @MINOR@))' || fail 'Python 3.@MINOR@ or newer is needed'
python3 -c 'import ensurepip, venv' 2>/dev/null ||
    fail 'the Python module venv is missing; on Debian and Ubuntu: apt-get install python3-venv'

if [ "$(id -u)" = 0 ]; then
    home="${PHAROS_AGENT_HOME:-/opt/@NAME@}"
else
    home="${PHAROS_AGENT_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/@NAME@}"
fi
settings="$home/agent.env"

printf 'Installing in %s\n' "$home"
python3 -m venv "$home"
"$home/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade "$PHAROS_URL@FOLDER@/$wheel"

# Only the owner may read the key.
umask 077
: >"$settings.new"
for name in PHAROS_URL @KEY@ @SETTINGS@ SSL_CERT_FILE; do
    eval "value=\${$name:-}"
    case "$value" in
        '') continue ;;
        *[!A-Za-z0-9_./:,=@%+\ -]*) fail "$name holds a character that cannot be kept in a settings file" ;;
    esac
    printf '%s="%s"\n' "$name" "$value" >>"$settings.new"
done
mv "$settings.new" "$settings"

if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && [ -z "${PHAROS_AGENT_HOME:-}" ]; then
    umask 022
    cat >/etc/systemd/system/@NAME@.service <<UNIT
[Unit]
Description=@TITLE@
After=network-online.target
Wants=network-online.target

[Service]
EnvironmentFile=$settings
ExecStart=$home/bin/@COMMAND@
DynamicUser=yes
StateDirectory=@NAME@
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 3

[Install]
WantedBy=multi-user.target
UNIT
    systemctl daemon-reload
    systemctl enable --quiet @NAME@
    systemctl restart @NAME@
    printf 'The agent runs. Its log: journalctl -u @NAME@\n'
else
    printf 'Installed. There is no systemd to start it; run it with:\n\n'
    printf '  set -a; . "%s"; set +a; exec "%s/bin/"@COMMAND@\n' "$settings" "$home"
fi
