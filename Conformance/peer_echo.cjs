#!/usr/bin/env node
// The same as peer_echo.py on the Node.js package `ws` (Debian's node-ws).
//
// usage: node peer_echo.cjs [--deflate none|takeover|no-takeover] [--check]
//
//   --check   ends with 0 if the package is there, and with 1 if it is not
"use strict";

function load() {
    // Where Debian puts it; a Node.js from elsewhere does not look there by itself.
    for (const place of ["ws", "/usr/share/nodejs/ws"]) {
        try {
            return require(place);
        } catch (error) {
            if (error.code !== "MODULE_NOT_FOUND") throw error;
        }
    }
    console.error("the package `ws` is not installed");
    process.exit(1);
}

const { WebSocketServer } = load();
if (process.argv.includes("--check")) process.exit(0);

function say(values) {
    process.stdout.write(JSON.stringify(values) + "\n");
}

function deflateOptions() {
    const index = process.argv.indexOf("--deflate");
    const choice = index < 0 ? "none" : process.argv[index + 1];
    if (choice === "none") return false;
    // `false` for the two would refuse a client that asks for them.
    const fresh = { serverNoContextTakeover: true, clientNoContextTakeover: true };
    return { ...(choice === "no-takeover" ? fresh : {}), threshold: 0 };
}

// Three fragments, the second one empty for short messages; text is cut in the middle of its characters.
function sendFragments(socket, data, isBinary) {
    const first = Math.floor((data.length + 1) / 3), second = Math.floor(data.length / 2);
    const pieces = [data.subarray(0, first), data.subarray(first, second), data.subarray(second)];
    pieces.forEach((piece, index) => {
        socket.send(piece, { binary: isBinary, fin: index === 2 });
        socket.ping("between fragments");
    });
}

const server = new WebSocketServer({
    host: "127.0.0.1", port: 0, maxPayload: 0, perMessageDeflate: deflateOptions(),
});

server.on("connection", (socket, request) => {
    const url = new URL(request.url, "ws://localhost");
    if (url.pathname === "/ping") {
        socket.once("pong", (payload) => socket.send(payload.toString()));
        socket.ping("are you there \u{1f44b}");
    }
    socket.on("message", (data, isBinary) => {
        if (url.pathname === "/close") {
            socket.close(Number(url.searchParams.get("code")), url.searchParams.get("reason") ?? "");
        } else if (url.pathname === "/fragments") {
            sendFragments(socket, data, isBinary);
        } else {
            socket.send(data, { binary: isBinary });
        }
    });
    socket.on("error", (error) => say({ error: String(error) }));
    socket.on("close", (code, reason) => say({
        code: code === 1005 || code === 1006 ? null : code, reason: reason.toString(), extensions: socket.extensions,
    }));
});

server.on("listening", () => say({ uri: `ws://127.0.0.1:${server.address().port}` }));
process.stdin.on("end", () => process.exit(0)).resume();
