"""What answers on a machine, on port 22 as its ssh daemon would: every line and every datagram comes back."""

import socket
import threading


def talk(line):
    while data := line.recv(4096):
        line.sendall(data)


def echo(kind):
    listener = socket.socket(socket.AF_INET6, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", 22))
    return listener


def datagrams(pinged):
    # Of several addresses the answer comes from the one that was asked.
    pinged.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    while True:
        # A network that is down just now makes an error of an answer.
        try:
            data, asked, _, who = pinged.recvmsg(64, 64)
            asked = [(level, kind, to[:16] + bytes(4)) for level, kind, to in asked]
            pinged.sendmsg([data], asked, 0, who)
        except OSError:
            pass


def caller(line):
    try:
        talk(line)
    except OSError:
        pass


listener, pinged = echo(socket.SOCK_STREAM), echo(socket.SOCK_DGRAM)
listener.listen()
print("listening", flush=True)
threading.Thread(target=datagrams, args=(pinged,), daemon=True).start()
while True:
    line, _ = listener.accept()
    threading.Thread(target=caller, args=(line,), daemon=True).start()
