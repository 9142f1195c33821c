const require_rolldown_runtime = require("./rolldown-runtime.js");
const require_libraries = require("./libraries.js");
const require_ssh = require("./ssh.js");
const require_aws = require("./aws.js");
let node_net = require("node:net");
let node_stream = require("node:stream");
let node_buffer = require("node:buffer");
let node_util = require("node:util");
let node_crypto = require("node:crypto");
let node_os = require("node:os");
let node_fs_promises = require("node:fs/promises");
let node_path = require("node:path");
let node_child_process = require("node:child_process");
let node_timers_promises = require("node:timers/promises");
let node_path_posix = require("node:path/posix");
let node_fs = require("node:fs");
let node_stream_consumers = require("node:stream/consumers");

// src/core/errors.ts
/**
* The one base of every error that this suite raises on purpose. `code` is stable and meant for machines, `message`
* names what is wrong and where, `hint` says what to do next. Neither ever holds a secret's value.
*/
var AppError = class extends Error {
	kind;
	code;
	hint;
	constructor(kind, code, message, details = {}) {
		super(message, details.cause === void 0 ? void 0 : { cause: details.cause });
		this.name = "AppError";
		this.kind = kind;
		this.code = code;
		this.hint = details.hint;
	}
};
/** The user gave something wrong or incomplete: an input, `infra.yml`, a secret. Nothing was changed. */
function inputError(code, message, details) {
	return new AppError("input", code, message, details);
}
/** A safety rule forbids going on. Nothing irreversible was done. */
function refusal(code, message, details) {
	return new AppError("refused", code, message, details);
}
/** Something that should have worked did not. */
function failure(code, message, details) {
	return new AppError("failed", code, message, details);
}
/** The message of anything thrown, for a log line. */
function messageOf(error) {
	return error instanceof Error ? error.message : String(error);
}

// src/action/actions-logger.ts
/**
* The log of a workflow's step. The runner obeys `::command::` at the start of a line and `##[command]` anywhere, in
* standard output and standard error alike, and takes a lone carriage return for a line end: such text is wrapped.
*/
function actionsLogger(masking, write) {
	const plain = (text) => write(`${harmless(masking.apply(text))}\n`);
	return {
		info: plain,
		step: (name) => plain(`▸ ${name}`),
		warning: (message) => require_libraries.warning(masking.apply(message)),
		async group(title, body) {
			require_libraries.startGroup(masking.apply(title));
			try {
				return await body();
			} finally {
				require_libraries.endGroup();
			}
		},
		untrusted: (text) => write(`${fenced$1(masking.apply(text))}\n`)
	};
}
const obeyed = /(^|[\r\n\u0085\u2028\u2029])\s*::|##\[/;
function harmless(text) {
	return obeyed.test(text) ? fenced$1(text) : text;
}
/** The runner takes no command until it reads the token again, which the text cannot know. */
function fenced$1(text) {
	const token = (0, node_crypto.randomUUID)();
	return `::stop-commands::${token}\n${text}\n::${token}::`;
}

// src/action/masking.ts
/** Shorter lines of a secret (`}`, `==`) would hide half of every log and give nobody anything. */
const shortest$1 = 4;
function createMasking() {
	const hidden = /* @__PURE__ */ new Set();
	return {
		add(secret) {
			const parts = [secret.trim(), ...secret.split(/\r?\n/).map((line) => line.trim())];
			const taken = [...new Set(parts)].filter((part) => part.length >= shortest$1);
			for (const part of taken) hidden.add(part);
			return taken;
		},
		apply(text) {
			return [...hidden].sort((one, other) => other.length - one.length).reduce((shown, part) => shown.replaceAll(part, "***"), text);
		}
	};
}

// src/core/closest.ts
/** The candidate that `word` was probably meant to be; undefined when none is near enough to suggest. */
function closest(word, candidates) {
	const limit = Math.max(1, Math.floor(word.length / 3));
	const [best] = candidates.map((candidate) => ({
		candidate,
		distance: editDistance(normal(word), normal(candidate))
	})).filter(({ distance }) => distance <= limit).sort((a, b) => a.distance - b.distance);
	return best?.candidate;
}
/** Spelling habits of other tools (`bucketName`, `force_path_style`) are no distance at all. */
function normal(word) {
	return word.replaceAll(/([a-z])([A-Z])/g, "$1-$2").replaceAll("_", "-").toLowerCase();
}
/** Levenshtein's distance. */
function editDistance(from, to) {
	let row = Array.from({ length: to.length + 1 }, (_, index) => index);
	for (const [i, letter] of [...from].entries()) {
		const next = [i + 1];
		for (const [j, other] of [...to].entries()) next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
		row = next;
	}
	return row[to.length] ?? 0;
}

// src/action/did-you-mean.ts
/** ``did you mean `x`?``, or all that is known when nothing comes near. */
function didYouMean(word, known) {
	const meant = closest(word, known);
	return meant ? `did you mean \`${meant}\`?` : `known are: ${known.join(", ")}`;
}

// src/core/duration.ts
const units$1 = {
	ms: 1,
	s: 1e3,
	m: 6e4,
	h: 36e5,
	d: 864e5
};
/** Milliseconds of `90s`, `10m`, `1h30m`, `500ms`, `2d`; undefined when the text is none. */
function parseDuration(text) {
	if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) return void 0;
	return [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units$1[unit], 0);
}
/** `1h 30m`, `12.3s`, `450ms`: the two largest units that matter. */
function formatDuration(milliseconds) {
	if (milliseconds < 1e3) return `${Math.round(milliseconds)}ms`;
	if (milliseconds < 6e4) return `${(milliseconds / 1e3).toFixed(1)}s`;
	const minutes = Math.floor(milliseconds / 6e4);
	if (minutes < 60) return `${minutes}m ${Math.floor(milliseconds % 6e4 / 1e3)}s`;
	return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
/** A duration in a file or an input: `90s` or plain milliseconds. Reads to milliseconds. */
const duration = require_libraries.union([require_libraries.int().min(0), require_libraries.string$1()]).transform((value, context) => {
	const parsed = typeof value === "number" ? value : parseDuration(value);
	if (parsed === void 0) context.addIssue({
		code: "custom",
		message: "use a duration such as 90s, 10m or 1h30m"
	});
	return parsed ?? require_libraries.NEVER;
});

// src/shell/secret.ts
const shown$4 = "***";
/**
* A value that must not be seen. Printing, joining, inspecting or serialising it yields `***`; only `reveal` yields
* the value, for the line that hands it to standard input or to a client library. It never goes into a command's text.
*/
var Secret = class {
	#value;
	/** What the secret is called in messages, for example the input's name. */
	name;
	constructor(name, value) {
		this.name = name;
		this.#value = value;
	}
	reveal() {
		return this.#value;
	}
	toString() {
		return shown$4;
	}
	toJSON() {
		return shown$4;
	}
	[node_util.inspect.custom]() {
		return `Secret(${this.name})`;
	}
};

// src/action/input.ts
const metas = require_libraries.registry();
/** The schema as an input of a contract: call it last, on the whole schema with its default. */
function input(schema, meta) {
	metas.add(schema, meta);
	return schema;
}
/** Throws a TypeError for a schema that was not made by `input`: a mistake in a contract. */
function inputMeta(schema) {
	const meta = metas.get(schema);
	if (!meta) throw new TypeError("every input of a contract is made by input()");
	return meta;
}
/** The default as text, as it stands in `action.yml`; undefined when the input may be absent or must be given. */
function defaultText(schema) {
	return schema instanceof require_libraries.ZodDefault ? String(schema.def.defaultValue) : void 0;
}
/** Whether leaving it out is an error. The runner does not check this, we do. */
function isRequired(schema) {
	return !(schema instanceof require_libraries.ZodDefault || schema instanceof require_libraries.ZodOptional);
}
/** Whether a flag without a value means `true`. */
function isFlag(schema) {
	return schema instanceof require_libraries.ZodDefault && typeof schema.def.defaultValue === "boolean";
}
/** `true` or `false`; anything else is a mistake, never a silent `false`. */
const boolean = require_libraries.stringbool({
	truthy: ["true"],
	falsy: ["false"]
});
/** Decimal digits only: neither `12abc` nor `0x10` nor the empty text is a number. */
const wholeNumber = require_libraries.string$1().regex(/^\d{1,15}$/, "use a whole number").transform(Number);
/** Words separated by commas, spaces or line ends; empty ones dropped. */
const words$1 = require_libraries.string$1().transform((text) => text.split(/[\s,]+/).filter((word) => word !== ""));
/** Milliseconds from `90s`, `10m`, `1h30m`. */
const time$1 = require_libraries.string$1().transform((text, context) => {
	const milliseconds = parseDuration(text);
	if (milliseconds === void 0) context.addIssue({
		code: "custom",
		message: "use a duration such as 90s or 1h30m"
	});
	return milliseconds ?? require_libraries.NEVER;
});
/** A value that becomes a `Secret` called `name` the moment it is parsed. Line ends are made Unix ones. */
function secret(name) {
	return require_libraries.string$1().transform((value) => new Secret(name, value));
}

// src/action/read-inputs.ts
/**
* The inputs of an action, checked. Secrets are masked before anything else is done with them. Throws an input error
* `input-unknown` or `input-invalid` that names every wrong input at once, without a secret's value.
*/
function readInputs(contract, runtime) {
	const names = Object.keys(contract.inputs.shape);
	const texts = new Map(names.map((name) => [name, textOf(contract, {
		name,
		names,
		runtime
	})]));
	for (const [name, text] of texts) if (text !== void 0 && metaOf$1(contract, name).secret) runtime.mask(text);
	refuseUnknown(contract, names, runtime);
	const given = [...texts].filter(([, text]) => text !== void 0);
	const result = contract.inputs.safeParse(Object.fromEntries(given));
	if (result.success) return result.data;
	const problems = result.error.issues.map((issue) => explain(contract, issue, texts, runtime));
	throw inputError("input-invalid", [...new Set(problems)].join("\n"), { hint: `The inputs of \`${contract.name}\` are described in its README.` });
}
/** An access key of ours with a session token that happens to be in the environment would be refused: families stay together. */
function textOf(contract, { name, names, runtime }) {
	const { family } = metaOf$1(contract, name);
	const ranks = (family ? names.filter((other) => metaOf$1(contract, other).family === family) : [name]).map((relative) => sourcesOf(contract, relative, runtime));
	const rank = Math.min(...ranks.map((sources) => sources.findIndex((text) => text !== void 0)).filter((at) => at >= 0));
	return sourcesOf(contract, name, runtime)[rank];
}
/** The input itself, then each variable it may come from. */
function sourcesOf(contract, name, runtime) {
	const variables = metaOf$1(contract, name).env ?? [];
	return [runtime.given(name), ...variables.map((variable) => present(runtime.env[variable]))];
}
/** The one place where empty becomes absent. Outer white space is never meant. */
function present(text) {
	const trimmed = text?.replaceAll("\r\n", "\n").trim();
	return trimmed === "" ? void 0 : trimmed;
}
function refuseUnknown(contract, names, runtime) {
	const unknown = runtime.givenNames().filter((name) => !names.includes(name));
	if (unknown.length === 0) return;
	const problems = unknown.map((name) => `\`${contract.name}\` has no input \`${name}\`; ${didYouMean(name, names)}`);
	throw inputError("input-unknown", problems.join("\n"), { hint: "Correct the name, or remove it." });
}
function explain(contract, issue, texts, runtime) {
	const name = String(issue.path[0] ?? "");
	const text = texts.get(name);
	const meta = metaOf$1(contract, name);
	if (text === void 0) return `input \`${name}\` is missing: give it ${runtime.placeOf(name)}. ${meta.description}`;
	const shown = meta.secret ? "" : ` (got ${JSON.stringify(text.slice(0, 60))})`;
	return `input \`${name}\`: ${issue.message}${shown}`;
}
function metaOf$1(contract, name) {
	const schema = contract.inputs.shape[name];
	if (!schema) throw new TypeError(`no input ${name}`);
	return inputMeta(schema);
}

// src/action/run-of.ts
/**
* Who runs this, from the runner's variables; in a terminal the person at the keyboard, whose commands one after the
* other belong together as the jobs of a run do (a backup, then a recreate that relies on it).
*/
function runOf(env) {
	const id = env.GITHUB_RUN_ID;
	const server = env.GITHUB_SERVER_URL;
	const repository = env.GITHUB_REPOSITORY;
	return {
		id: id ?? `local-${(0, node_os.userInfo)().username}@${(0, node_os.hostname)()}`,
		attempt: env.GITHUB_RUN_ATTEMPT ?? "1",
		actor: env.GITHUB_ACTOR ?? env.USER ?? (0, node_os.userInfo)().username,
		url: id && server && repository ? `${server}/${repository}/actions/runs/${id}` : "",
		sha: env.GITHUB_SHA ?? ""
	};
}

// src/action/summary.ts
/** Bytes of a step's summary that GitHub takes; a larger one is dropped whole. */
const limit$4 = 1048576;
const note = "\n\n_Cut here: a job summary holds at most 1 MiB. The log has the rest._\n";
/** The Markdown, cut at a line end so that it fits, and saying so. */
function cutSummary(markdown) {
	const bytes = Buffer.from(markdown);
	if (bytes.length <= limit$4) return markdown;
	const kept = bytes.subarray(0, limit$4 - Buffer.byteLength(note) - 3).toString();
	const lineEnd = kept.lastIndexOf("\n");
	return `${lineEnd > 0 ? kept.slice(0, lineEnd) : kept.replace(/\uFFFD+$/, "")}${note}`;
}
/** A heading with a table of rows: the form in which every action tells its numbers. Cells cannot break out of it. */
function summaryTable(title, head, rows) {
	const line = (cells) => `| ${cells.map(cell).join(" | ")} |`;
	return [
		`### ${title}`,
		"",
		line(head),
		line(head.map(() => "---")),
		...rows.map(line),
		""
	].join("\n");
}
function cell(text) {
	return text.replace(/[\r\n]+/g, " ").replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("`", "&#96;");
}

// src/action/actions-runtime.ts
/** A step of a GitHub workflow: inputs from `INPUT_*`, results into the runner's files. */
function actionsRuntime(env = process.env) {
	const masking = createMasking();
	const write = (text) => void process.stdout.write(text);
	const log = actionsLogger(masking, write);
	return {
		env,
		log,
		directory: env.GITHUB_WORKSPACE ?? process.cwd(),
		run: runOf(env),
		given: (name) => present(env[variableOf(name)]),
		givenNames: () => Object.keys(env).filter((key) => key.startsWith(prefix) && present(env[key])).map(nameOf),
		placeOf: (name) => `under \`with:\` as \`${name}\``,
		mask: (secret) => {
			for (const part of masking.add(secret)) require_libraries.setSecret(part);
		},
		output: (outputs) => {
			for (const [name, value] of Object.entries(outputs)) require_libraries.setOutput(name, masking.apply(String(value)));
		},
		summary: async (markdown) => {
			if (env.GITHUB_STEP_SUMMARY) await require_libraries.summary.addRaw(cutSummary(masking.apply(markdown)), true).write();
		},
		saveState: (name, value) => require_libraries.saveState(name, value),
		fail: (failure) => report(failure, masking.apply.bind(masking), log.untrusted)
	};
}
const prefix = "INPUT_";
/** The runner upper-cases a name and makes spaces `_`; hyphens stay. */
function variableOf(name) {
	return `${prefix}${name.replaceAll(" ", "_").toUpperCase()}`;
}
function nameOf(variable) {
	return variable.slice(6).toLowerCase();
}
function report(failure, mask, untrusted) {
	const hint = failure.hint ? `\n${failure.hint}` : "";
	require_libraries.error(mask(`${failure.message}${hint}`), { title: failure.title });
	if (failure.stack) untrusted(failure.stack);
}

// src/action/perform.ts
/**
* The one failure policy. Masks, checks the inputs, writes the negative outputs first, runs, writes the outputs and
* the summary. Never rejects: whatever is thrown becomes outputs, a message and an ending.
*/
async function perform(action, runtime, signal) {
	const { contract } = action;
	try {
		runtime.output(contract.negative);
		const inputs = readInputs(contract, runtime);
		return await finish$2(contract, await untilAborted(action.main(inputs, contextOf(runtime, signal)), signal), runtime);
	} catch (error) {
		if (signal.aborted && error !== signal.reason) runtime.log.info(`While stopping: ${messageOf(error)}`);
		return giveUp(signal.aborted ? signal.reason : error, runtime);
	}
}
/** Milliseconds that an aborted action has to put down what it holds: the runner's first signal leaves 7 500. */
const putDown = 1500;
function untilAborted(work, signal) {
	const given = new Promise((_, reject) => {
		const later = () => setTimeout(() => reject(signal.reason), putDown).unref();
		if (signal.aborted) later();
		else signal.addEventListener("abort", later, { once: true });
	});
	return Promise.race([work, given]);
}
const dryRunNote = "**Dry run: nothing was changed.** What follows is what the steps were taken to give.\n\n";
async function finish$2(contract, outcome, runtime) {
	const outputs = contract.outputs.parse(outcome.outputs);
	runtime.output(outputs);
	if (outcome.summary) await runtime.summary(outputs.reason === "dry-run" ? dryRunNote + outcome.summary : outcome.summary);
	if (outcome.failure !== void 0) runtime.fail({
		title: "Failed",
		message: outcome.failure,
		hint: void 0,
		stack: void 0
	});
	const partial = outputs.status === "partial";
	return {
		exitCode: outcome.exitCode ?? (outcome.failure !== void 0 ? 2 : partial ? 1 : 0),
		failed: outcome.failure !== void 0
	};
}
/** Writes down that the action failed, and why. */
function giveUp(error, runtime) {
	const status = error instanceof AppError && error.kind === "refused" ? "refused" : "failed";
	const reason = error instanceof AppError ? error.code : "bug";
	runtime.output({
		status,
		reason
	});
	runtime.fail(failureOf$1(error));
	return {
		exitCode: 2,
		failed: true
	};
}
const titles = {
	input: "Wrong input",
	refused: "Refused",
	failed: "Failed"
};
/** What a person has to read about something thrown; what nobody raised on purpose is a bug and keeps its stack. */
function failureOf$1(error) {
	if (error instanceof AppError) return {
		title: titles[error.kind],
		message: withCauses(error),
		hint: error.hint,
		stack: void 0
	};
	return {
		title: "Bug",
		message: messageOf(error),
		hint: "This is a fault of infra-actions: please report it with the log.",
		stack: error instanceof Error ? error.stack : void 0
	};
}
function withCauses(error) {
	const cause = error.cause;
	return cause === void 0 || error.message.includes(messageOf(cause)) ? error.message : `${error.message}\ncaused by: ${cause instanceof Error ? withCauses(cause) : String(cause)}`;
}
function contextOf(runtime, signal) {
	const { log, run, env, directory } = runtime;
	return {
		log,
		run,
		env,
		directory,
		signal,
		mask: (secret) => runtime.mask(secret),
		saveState: (name, value) => runtime.saveState(name, value)
	};
}

// src/action/run-action.ts
/**
* Runs an action as the step of a workflow and ends the process: 0 when it did its work, 1 when not. A cancelled one
* has written that it was and is gone within two seconds of the runner's first signal.
*/
async function runAction(action) {
	const runtime = actionsRuntime();
	process.on("uncaughtException", (error) => process.exit(giveUp(error, runtime).failed ? 1 : 0));
	const ending = await perform(action, runtime, abortOnSignals());
	process.exit(ending.failed ? 1 : 0);
}
/** Aborts at the first SIGINT or SIGTERM; at the second the process ends on the spot. */
function abortOnSignals() {
	const controller = new AbortController();
	for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {
		if (controller.signal.aborted) process.exit(1);
		controller.abort(failure("cancelled", "cancelled before it was done", { hint: "What already runs on the host goes on to its end; the next run finds it and says how it ended." }));
	});
	return controller.signal;
}

// src/action/outcome.ts
/** `partial`: the main thing was done, something beside it was not. `refused`: a safety rule forbade it. */
const statuses = [
	"success",
	"partial",
	"refused",
	"failed"
];
/** The two outputs every action has. `reason` is a code from a closed list, `done` or an error's code among them. */
const commonOutputs = {
	status: require_libraries._enum(statuses).describe("`success`, `partial`, `refused` or `failed`."),
	reason: require_libraries.string$1().describe("Code of why, for machines: `done`, or what stopped it.")
};
/** Their value before any work started: what a reader sees when the action was killed. */
const notDone = {
	status: "failed",
	reason: "not-finished"
};
/** An action whose main sees its inputs typed by the contract, and whose outputs are checked against it. */
function action(contract, main) {
	return {
		contract,
		main
	};
}

// src/core/layout.ts
/** Lock, work folders and journal of work that leaves the stack alone, so that deployments and backups go on beside it. */
function apart({ state }, name) {
	const folder = `${state}/${name}`;
	return {
		lock: `${folder}/lock`,
		work: `${folder}/work`,
		journal: `${folder}/journal.jsonl`
	};
}
/** The paths of a project's environment on its host. Two environments on one host share nothing but the base directory. */
function layout(config) {
	const base = config.host.directory ?? `/opt/${config.project}`;
	const state = `${base}/state/${config.environment}`;
	return {
		base,
		backups: config.backup.directory ?? `${base}/backups`,
		state,
		lock: `${state}/lock`,
		work: `${state}/work`,
		releases: `${state}/releases.jsonl`,
		journal: `${state}/journal.jsonl`
	};
}

// src/shell/quote.ts
/**
* One POSIX shell word that expands to exactly `text`. Anything outside a small safe alphabet goes between single
* quotes, where POSIX gives no character but the quote itself a meaning (POSIX.1-2017, Shell Command Language 2.2.2).
* Throws a TypeError on NUL, which no shell word can hold.
*/
function quote(text) {
	if (text.includes("\0")) throw new TypeError("a shell word cannot hold a NUL character");
	return safe.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
const safe = /^[A-Za-z0-9_@%+=:,./-]+$/;

// src/shell/command.ts
const made = Symbol("command");
/** A command that only looks: ``sh`docker inspect ${ids}` ``. */
const sh = (strings, ...words) => compose("read", strings, words);
/** A command that changes the host: ``change`docker stop ${id}` ``. */
const change = (strings, ...words) => compose("change", strings, words);
/** The text of a script file of ours, as a command with positional parameters `$1`, `$2` ... set to `args`. */
function script(effect, text, args = []) {
	return command$1(effect, `set -- ${render(args)}\n${text}`);
}
/** Several commands, each on its own line, in order; it changes the host when one of them does. */
function lines$1(...commands) {
	return command$1(commands.some((one) => one.effect === "change") ? "change" : "read", commands.map((one) => one.text).join("\n"));
}
function isCommand(value) {
	return typeof value === "object" && value !== null && made in value;
}
function compose(effect, strings, words) {
	const inserted = words.filter(isCommand);
	const text = strings.map((part, index) => part + (index < words.length ? render(words[index]) : "")).join("");
	return command$1(inserted.some((one) => one.effect === "change") ? "change" : effect, text);
}
function render(word) {
	if (isCommand(word)) return word.text;
	if (Array.isArray(word)) return word.map(render).join(" ");
	if (typeof word === "string") return quote(word);
	if (typeof word === "number" && Number.isFinite(word)) return String(word);
	if (word instanceof Secret) throw new TypeError("a Secret cannot be part of a command: pass it on standard input");
	throw new TypeError(`a ${typeof word} cannot be part of a command`);
}
function command$1(effect, text) {
	return Object.freeze({
		text,
		effect,
		[made]: true
	});
}

// src/docker/compose-command.ts
/**
* File on the host with the images of the last deploy, as a compose override: every `up` reads it when it is there, so
* that none puts back an older image that the compose files still name.
*/
function deployedImagesFile(config) {
	return `${layout(config).state}/images.json`;
}
/** A compose override (JSON is YAML) that says which image each service runs. */
function imagesOverride(images, pull) {
	const services = Object.entries(images).map(([service, image]) => [service, {
		image,
		...pull === void 0 ? {} : { pull_policy: pull }
	}]);
	return JSON.stringify({ services: Object.fromEntries(services) });
}
/**
* Shell text up to and including `docker compose` with its global options; a subcommand follows it. It runs in the
* base directory and in an empty environment: a variable of the shell would beat the env-file (a stray `IMAGE_TAG`
* turned rollbacks into redeploys).
*/
function composeCommand(config, options = {}) {
	const { base } = layout(config);
	const deployed = deployedImagesFile(config);
	const { make, at } = previewed(options.preview ?? []);
	const files = config.compose.files.map((file) => sh`-f ${at(file)}`);
	const globals = [
		"--ansi",
		"never",
		"--project-name",
		config.project,
		"--project-directory",
		base
	];
	const extra = options.override ? ["-f", "-"] : [];
	const before = options.deployed ? sh`[ ! -e ${deployed} ] || set -- -f ${deployed}` : sh`:`;
	const envFile = at(config.compose["env-file"]);
	const named = files.reduce((all, file) => sh`${all} ${file}`, sh``);
	return sh`cd ${base} || exit 14
${make}
set --
${before}
${cleanEnvironment} ${options.prefix ?? sh``} docker compose ${globals} --env-file ${envFile} ${named} "$@" ${extra}`;
}
/** Writes the files that stand in for the host's into a folder that goes away with the shell, and says where a file then is. */
function previewed(files) {
	const norm = (path) => node_path.posix.normalize(path);
	const names = new Map(files.map((file, index) => [norm(file.path), `${index}-${node_path.posix.basename(file.path)}`]));
	const at = (path) => {
		const name = names.get(norm(path));
		return name === void 0 ? sh`${path}` : sh`"$preview"/${name}`;
	};
	if (files.length === 0) return {
		make: sh`:`,
		at
	};
	const written = files.map(({ path, content }) => sh`printf '%s' ${content} >${at(path)} || exit`);
	return {
		make: lines$1(sh`preview=$(mktemp -d) || exit; trap 'rm -rf "$preview"' EXIT`, ...written),
		at
	};
}
/** Kept: where the programs, the user's registry logins and the engine are. Orphans are never removed by a side effect. */
const cleanEnvironment = sh`env -i PATH="$PATH" HOME="\${HOME:-/}" LC_ALL=C COMPOSE_REMOVE_ORPHANS=0 COMPOSE_IGNORE_ORPHANS=1 \${DOCKER_HOST:+"DOCKER_HOST=$DOCKER_HOST"} \${DOCKER_CONFIG:+"DOCKER_CONFIG=$DOCKER_CONFIG"} \${DOCKER_CONTEXT:+"DOCKER_CONTEXT=$DOCKER_CONTEXT"}`;

// src/docker/go-duration.ts
const milliseconds = {
	h: 36e5,
	m: 6e4,
	s: 1e3,
	ms: 1,
	us: .001,
	µs: .001,
	ns: 1e-6
};
/**
* Milliseconds of a duration as Go prints it (`1m30s`, `1.5s`, `500ms`): the form of every duration in compose's
* JSON. Undefined when the text is none.
*/
function parseGoDuration(text) {
	if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return void 0;
	return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * milliseconds[unit], 0);
}

// src/docker/compose-definition.ts
/**
* Reads the output of `docker compose config --format json`. It holds every secret of the stack in clear (compose
* merges env files into `environment`), so neither the text nor an error about it is ever shown.
*/
function parseDefinition(json) {
	const parsed = composeSchema$2.safeParse(parseJson(json));
	if (!parsed.success) {
		const where = parsed.error.issues.map((issue) => `${issue.path.join(".")} (${issue.code})`).join(", ");
		throw failure("compose-output", `compose printed a definition of another shape than known, at ${where}`, { hint: "Check the version of the compose plugin on the host: 2.20 or newer is known to work." });
	}
	const { name, services, volumes, networks } = parsed.data;
	const awaited = new Set(Object.values(services).flatMap((service) => awaitedToEnd(service.depends_on)));
	return {
		project: name,
		services: Object.entries(services).map(([key, service]) => toService(key, service, awaited.has(key))),
		volumes: Object.entries(volumes).map(([key, volume]) => ({
			key,
			name: volume?.name ?? key,
			device: bindDevice(volume?.driver_opts),
			external: volume?.external ?? false
		})),
		networks: Object.entries(networks).map(([key, network]) => ({
			key,
			name: network?.name ?? key,
			external: network?.external ?? false
		}))
	};
}
/**
* Milliseconds that a container may take to become healthy, by Docker's own rules and defaults
* (docs.docker.com, Dockerfile HEALTHCHECK): the start period, then `retries` rounds of interval and timeout.
*/
function healthBudget(check) {
	if (!check || check.disable || check.test?.[0] === "NONE") return void 0;
	const rounds = check.retries ?? 3;
	return check.start_period + (check.interval + check.timeout) * rounds;
}
const period = (fallback) => require_libraries.string$1().optional().transform((text) => text === void 0 ? fallback : parseGoDuration(text) ?? fallback);
const healthSchema = require_libraries.object({
	test: require_libraries.array(require_libraries.string$1()).nullish(),
	disable: require_libraries.boolean().optional(),
	interval: period(3e4),
	timeout: period(3e4),
	start_period: period(0),
	retries: require_libraries.int().optional()
});
const scalar = require_libraries.union([
	require_libraries.string$1(),
	require_libraries.number(),
	require_libraries.boolean()
]).nullable();
const resource = require_libraries.object({
	name: require_libraries.string$1().optional(),
	external: require_libraries.boolean().optional(),
	driver_opts: require_libraries.record(require_libraries.string$1(), scalar).nullish()
}).nullable();
const serviceSchema$1 = require_libraries.object({
	image: require_libraries.string$1().default(""),
	profiles: require_libraries.array(require_libraries.string$1()).default([]),
	stop_grace_period: period(1e4),
	healthcheck: healthSchema.nullish(),
	volumes: require_libraries.array(require_libraries.object({
		type: require_libraries.string$1(),
		source: require_libraries.string$1().default(""),
		target: require_libraries.string$1().default(""),
		read_only: require_libraries.boolean().default(false)
	})).nullish(),
	depends_on: require_libraries.record(require_libraries.string$1(), require_libraries.object({ condition: require_libraries.string$1() })).nullish(),
	container_name: require_libraries.string$1().optional(),
	ports: require_libraries.array(require_libraries.object({
		published: require_libraries.string().optional(),
		target: require_libraries.int(),
		protocol: require_libraries.string$1().default("tcp")
	})).nullish(),
	networks: require_libraries.record(require_libraries.string$1(), require_libraries.unknown()).nullish(),
	environment: require_libraries.record(require_libraries.string$1(), scalar).nullish(),
	labels: require_libraries.record(require_libraries.string$1(), scalar).nullish(),
	scale: require_libraries.int().optional(),
	deploy: require_libraries.object({ replicas: require_libraries.int().optional() }).nullish()
});
const composeSchema$2 = require_libraries.object({
	name: require_libraries.string$1(),
	services: require_libraries.record(require_libraries.string$1(), serviceSchema$1),
	volumes: require_libraries.record(require_libraries.string$1(), resource).default({}),
	networks: require_libraries.record(require_libraries.string$1(), resource).default({})
});
function toService(name, raw, awaited) {
	return {
		name,
		image: raw.image,
		profiles: raw.profiles,
		stopGracePeriod: raw.stop_grace_period,
		healthBudget: healthBudget(raw.healthcheck ?? void 0),
		volumes: (raw.volumes ?? []).map(({ read_only, ...volume }) => ({
			...volume,
			readOnly: read_only
		})),
		networks: Object.keys(raw.networks ?? {}),
		dependsOn: Object.keys(raw.depends_on ?? {}),
		hasContainerName: raw.container_name !== void 0,
		publishedPorts: (raw.ports ?? []).flatMap(publishedPort),
		environment: Object.fromEntries(Object.entries(raw.environment ?? {}).map(([key, value]) => [key, undoubled(value)])),
		oneShot: awaited || String(raw.labels?.["infra-actions.one-shot"]) === "true",
		replicas: raw.scale ?? raw.deploy?.replicas ?? 1
	};
}
/** A port without `published` gets a free one of the host, so that copies do not collide; a range counts by its first. */
function publishedPort(port) {
	const published = Number.parseInt(port.published ?? "", 10);
	return published > 0 ? [{
		published,
		target: port.target,
		protocol: port.protocol
	}] : [];
}
/** Compose leaves `$$` doubled in its output; the container sees one `$`. */
function undoubled(value) {
	return value === null ? "" : String(value).replaceAll("$$", "$");
}
function awaitedToEnd(dependsOn) {
	return Object.entries(dependsOn ?? {}).filter(([, { condition }]) => condition === "service_completed_successfully").map(([name]) => name);
}
function bindDevice(options) {
	const flags = String(options?.o ?? "").split(",");
	const device = options?.device;
	return flags.some((flag) => flag === "bind" || flag === "rbind") && typeof device === "string" ? device : void 0;
}
function parseJson(json) {
	try {
		return JSON.parse(json);
	} catch {
		throw failure("compose-output", "compose printed a definition that is not JSON");
	}
}

// src/docker/compose-plan.ts
/**
* Reads the text of `docker compose --dry-run up`: `Recreate` replaces a container, `Running` keeps it, `Creating`
* makes one, `Starting` without either starts one that exists. Names are matched with the containers there are, else
* with compose's own naming. Several copies of a service give its most drastic action.
*/
function parsePlan(text, options) {
	const seen = /* @__PURE__ */ new Map();
	for (const [, name = "", word = ""] of text.matchAll(/DRY-RUN MODE -\s+Container (\S+)\s+(\w+)/g)) {
		const service = serviceOf(name, options);
		const action = actions[word];
		if (!service || !action) continue;
		const before = seen.get(service);
		if (!before || severity$1.indexOf(action) > severity$1.indexOf(before)) seen.set(service, action);
	}
	return [...seen].map(([service, action]) => ({
		service,
		action
	}));
}
const severity$1 = [
	"keep",
	"start",
	"create",
	"recreate"
];
const actions = {
	Running: "keep",
	Starting: "start",
	Creating: "create",
	Recreate: "recreate"
};
function serviceOf(name, { project, services, containers }) {
	const plain = name.replace(/^[0-9a-f]{12}_/, "");
	return containers.find((one) => one.name === name)?.service ?? services.find((service) => plain === service || plain.replace(/-\d+$/, "") === `${project}-${service}`);
}

// src/host/host.ts
/** The host, or the way to it, failed: it is not known what the command did. */
var HostError = class extends AppError {
	fault;
	constructor(fault, message, details) {
		super("failed", `host-${fault}`, message, details);
		this.name = "HostError";
		this.fault = fault;
	}
};
/** The command ran and ended with an exit code that is not allowed. The message ends with its last error line. */
var CommandError = class extends AppError {
	result;
	constructor(result) {
		super("failed", "command-failed", describe$3(result));
		this.name = "CommandError";
		this.result = result;
	}
};
function describe$3({ command, code, stderr }) {
	const last = stderr.trimEnd().split("\n").at(-1)?.trim();
	const first = command.text.trim().split("\n")[0] ?? "";
	return `\`${first.length > 80 ? `${first.slice(0, 79)}…` : first}\` ended with exit code ${code}${last ? `: ${last}` : ""}`;
}

// src/docker/engine.ts
/** Seconds that a look at the engine may take before it counts as hung. */
const patience$3 = 20;
/**
* Prefix of every docker call that only looks: a stopped daemon hangs for ever (it accepts the connection and says
* nothing), so the call is ended on the host. Give `docker` and its arguments after it.
*/
const limited = sh`timeout -k 2 ${patience$3}`;
/**
* Runs a command that looks at the engine. Throws an error of its own code for each way in which Docker itself can
* fail (`EngineFault`), `CommandError` for any other exit code that is not allowed.
*/
async function askEngine(host, command, options = {}) {
	const result = await host.run(command, {
		...options,
		allow: "any"
	});
	const allowed = options.allow ?? [0];
	if (allowed === "any" || allowed.includes(result.code)) return result;
	throw engineError(result, host.name) ?? new CommandError(result);
}
/** Names the fault behind a failed docker call; undefined when Docker itself is not to blame. */
function engineError(result, host) {
	const fault = engineFault(result);
	if (!fault) return void 0;
	const said = withoutValues(result.stderr).trim().split("\n").slice(-3).join(" / ");
	const { what, hint } = words[fault];
	return (fault.startsWith("compose-") ? inputError : failure)(fault, `${what} on ${host}${said ? `: ${said}` : ""}`, { hint });
}
/** Compose quotes the line of an environment file that it cannot read: it may be a secret. */
function withoutValues(stderr) {
	return stderr.replaceAll(/(unterminated quoted value|in variable name).*/g, "$1");
}
/** Which fault an exit code and standard error tell of (`timeout` ends with 124, busybox's with 143, both 137 after KILL). */
function engineFault({ code, stderr }) {
	if (code === 0) return void 0;
	if (code === 124 || code === 143 || code === 137) return "engine-hung";
	return signs.find(([, pattern]) => pattern.test(stderr))?.[0];
}
const signs = [
	["engine-denied", /permission denied while trying to connect|dial unix \S+: connect: permission denied/i],
	["engine-down", /cannot connect to the docker daemon|error during connect|is the docker daemon running/i],
	["compose-missing", /'compose' is not a docker command|unknown shorthand flag: '\w' in -\w|unknown flag: --ansi/i],
	["docker-missing", /docker['"]?: (command )?not found|failed to run command .?docker|can't execute 'docker'/i],
	["compose-env-file-missing", /couldn't find env file|env file \S+ not found/i],
	["compose-env-file-invalid", /unterminated quoted value|unexpected character .* in variable name/],
	["compose-files-missing", /(open|stat) \S+\.ya?ml: no such file|no configuration file provided|can't cd to|cd: /i],
	["compose-invalid", /^validating |yaml: |interpolat|required variable|undefined (service|volume|network)|invalid /im]
];
const words = {
	"engine-hung": {
		what: "the Docker daemon does not answer",
		hint: "The daemon accepts connections and stays silent: look at `journalctl -u docker`, then restart it."
	},
	"engine-down": {
		what: "the Docker daemon is not running",
		hint: "Start it: `systemctl start docker`."
	},
	"engine-denied": {
		what: "this user may not use Docker",
		hint: "Add the user of `host.user` to the group `docker`, or log in as a user who is in it."
	},
	"docker-missing": {
		what: "Docker is not installed",
		hint: "Install Docker Engine with the compose plugin."
	},
	"compose-missing": {
		what: "Docker has no compose plugin",
		hint: "Install `docker-compose-plugin` (compose v2); the old `docker-compose` program does not do."
	},
	"compose-files-missing": {
		what: "a file of `compose.files`, or the base directory, is missing",
		hint: "Put the compose files into the base directory, or correct `compose.files` and `host.directory`."
	},
	"compose-env-file-missing": {
		what: "the file of `compose.env-file` is missing",
		hint: "Put the environment file into the base directory (mode 600), or correct `compose.env-file`."
	},
	"compose-env-file-invalid": {
		what: "compose cannot read an environment file of the stack",
		hint: "Correct the named line of `compose.env-file`, or of a service's `env_file`, on the host; its value is not shown here."
	},
	"compose-invalid": {
		what: "compose does not accept the stack's files",
		hint: "Run `docker compose config --quiet` in the base directory and correct what it names."
	}
};

// src/docker/existing.ts
/**
* Defines the shell function `existing`: runs `docker inspect` of things listed a moment ago, where one that has gone
* meanwhile is left out and anything else is a failure.
*/
const defineExisting = sh`existing() {
  problem=$(mktemp) || return
  "$@" 2>"$problem"
  code=$?
  if [ "$code" -ne 0 ] && ! grep -v -i 'no such \\(container\\|volume\\|object\\)' "$problem" | grep -q .; then code=0; fi
  cat "$problem" >&2
  rm -f "$problem"
  return "$code"
}`;

// src/docker/container.ts
/** The part of `docker inspect` that is used; the environment, where secrets stand, is not even asked for. */
const format$1 = [
	"{\"id\":{{json .Id}},\"name\":{{json .Name}},\"state\":{{json .State}},\"restarts\":{{json .RestartCount}}",
	"\"imageId\":{{json .Image}},\"image\":{{json .Config.Image}},\"labels\":{{json .Config.Labels}}",
	"\"stopSignal\":{{json (index .Config \"StopSignal\")}},\"policy\":{{json .HostConfig.RestartPolicy.Name}}",
	"\"mounts\":{{json .Mounts}},\"networks\":{{json .NetworkSettings.Networks}}}"
].join(",");
/**
* Looks up containers of a compose project, of one service when named, and prints one JSON object a line. A container
* that goes away between listing and inspecting is left out; any other failure of docker is the script's.
*/
function inspectProject(project, service) {
	const filters = [
		`label=com.docker.compose.project=${project}`,
		"label=com.docker.compose.oneoff=False",
		...service === void 0 ? [] : [`label=com.docker.compose.service=${service}`]
	].flatMap((filter) => ["--filter", filter]);
	return sh`${defineExisting}
ids=$(${limited} docker ps --all --quiet --no-trunc ${filters}) || exit
[ -n "$ids" ] || exit 0
existing ${limited} docker inspect --type container --format ${format$1} $ids`;
}
/** Prints one container, whatever made it, as `inspectProject` prints those of a project. */
function inspectContainer(id) {
	return sh`${limited} docker inspect --type container --format ${format$1} ${id}`;
}
/** The containers in what `inspectProject` printed, by service and number. Throws when a line is not what Docker promises. */
function parseContainers(output) {
	return output.split("\n").filter((line) => line.trim() !== "").map((line) => toContainer(inspectedSchema.parse(JSON.parse(line)))).sort((a, b) => a.service.localeCompare(b.service) || a.number - b.number);
}
const mountSchema = require_libraries.object({
	Type: require_libraries.string$1(),
	Name: require_libraries.string$1().optional(),
	Source: require_libraries.string$1().default(""),
	Destination: require_libraries.string$1(),
	RW: require_libraries.boolean()
});
const inspectedSchema = require_libraries.object({
	id: require_libraries.string$1().min(12),
	name: require_libraries.string$1(),
	state: require_libraries.object({
		Status: require_libraries.string$1(),
		ExitCode: require_libraries.int(),
		OOMKilled: require_libraries.boolean(),
		Error: require_libraries.string$1().default(""),
		StartedAt: require_libraries.string$1(),
		FinishedAt: require_libraries.string$1(),
		Pid: require_libraries.int(),
		Health: require_libraries.object({
			Status: require_libraries.string$1(),
			Log: require_libraries.array(require_libraries.object({ Output: require_libraries.string$1() })).nullish()
		}).nullish()
	}),
	restarts: require_libraries.int(),
	imageId: require_libraries.string$1(),
	image: require_libraries.string$1(),
	labels: require_libraries.record(require_libraries.string$1(), require_libraries.string$1()).nullish(),
	stopSignal: require_libraries.string$1().nullish(),
	policy: require_libraries.string$1(),
	mounts: require_libraries.array(mountSchema).nullish(),
	networks: require_libraries.record(require_libraries.string$1(), require_libraries.object({ IPAddress: require_libraries.string$1().default("") })).nullish()
});
function toContainer(raw) {
	const label = (name) => raw.labels?.[`com.docker.compose.${name}`] ?? "";
	return {
		id: raw.id,
		name: raw.name.replace(/^\//, ""),
		service: label("service"),
		state: raw.state.Status,
		health: raw.state.Health && raw.state.Health.Status !== "none" ? raw.state.Health.Status : void 0,
		healthOutput: raw.state.Health?.Log?.at(-1)?.Output.trim() ?? "",
		error: raw.state.Error,
		restarts: raw.restarts,
		exitCode: raw.state.ExitCode,
		oomKilled: raw.state.OOMKilled,
		startedAt: time(raw.state.StartedAt),
		finishedAt: time(raw.state.FinishedAt),
		image: raw.image,
		imageId: raw.imageId,
		configHash: label("config-hash"),
		number: Number(label("container-number")) || 0,
		restartPolicy: raw.policy,
		stopSignal: raw.stopSignal || "SIGTERM",
		mounts: (raw.mounts ?? []).map(toMount),
		networks: Object.entries(raw.networks ?? {}).map(([name, { IPAddress }]) => ({
			name,
			address: IPAddress
		})),
		pid: raw.state.Pid
	};
}
function toMount(mount) {
	return {
		type: mount.Type === "volume" || mount.Type === "tmpfs" ? mount.Type : "bind",
		source: mount.Source,
		volume: mount.Type === "volume" ? mount.Name : void 0,
		target: mount.Destination,
		writable: mount.RW
	};
}
/** Docker says year 1 for never. */
function time(text) {
	return text.startsWith("0001-") ? "" : text;
}

// src/docker/mounting.ts
const format = ["{\"id\":{{json .Id}},\"name\":{{json .Name}},\"state\":{{json .State.Status}},\"code\":{{.State.ExitCode}}", "\"policy\":{{json .HostConfig.RestartPolicy.Name}},\"labels\":{{json .Config.Labels}},\"mounts\":{{json .Mounts}}}"].join(",");
/** Prints every container of the host with its mounts, then every volume that is another name for a host path. */
const inspectMounts = sh`${defineExisting}
ids=$(${limited} docker ps --all --quiet --no-trunc) || exit
volumes=$(${limited} docker volume ls --quiet) || exit
[ -z "$ids" ] || existing ${limited} docker inspect --type container --format ${format} $ids || exit
[ -z "$volumes" ] || existing ${limited} docker volume inspect --format '{"volume":{{json .Name}},"path":{{json .Mountpoint}},"options":{{json .Options}}}' $volumes`;
/**
* Which of the containers that `inspectMounts` printed have one of `sources` (host paths, volume names) mounted
* writable, and run or may be started by their restart policy alone. A volume, its mount point and the host path behind
* it are one and the same.
*/
function parseMounting(output, sources) {
	const seen = output.split("\n").filter((line) => line.trim() !== "").map((line) => lineSchema$1.parse(JSON.parse(line)));
	const volumes = seen.flatMap((one) => "volume" in one ? [namesOf$1(one)] : []);
	const wanted = new Set(sources.map(plain).flatMap((source) => [source, ...aliases(source, volumes)]));
	return seen.flatMap((one) => "id" in one && mayServe(one) && (one.mounts ?? []).some((mount) => mount.RW && (wanted.has(mount.Name) || wanted.has(plain(mount.Source)))) ? [toMounting(one)] : []);
}
/**
* The engine starts what is stopped when it starts itself: `always` whoever stopped it, `on-failure` what ended with a code
* (docs.docker.com, "Start containers automatically"). What is stopped under `unless-stopped` was stopped by somebody.
*/
function mayServe({ state, policy, code }) {
	if ([
		"running",
		"restarting",
		"paused"
	].includes(state)) return true;
	return policy === "always" || policy === "on-failure" && code !== 0;
}
function toMounting({ id, name, state, policy, labels }) {
	const label = (key) => labels?.[`com.docker.compose.${key}`] ?? "";
	const names = {
		project: label("project"),
		service: label("service")
	};
	return {
		id,
		name: name.replace(/^\//, ""),
		state,
		restartPolicy: policy,
		...names
	};
}
const containerSchema = require_libraries.object({
	id: require_libraries.string$1(),
	name: require_libraries.string$1(),
	state: require_libraries.string$1(),
	code: require_libraries.int(),
	policy: require_libraries.string$1(),
	labels: require_libraries.record(require_libraries.string$1(), require_libraries.string$1()).nullish(),
	mounts: require_libraries.array(require_libraries.object({
		Name: require_libraries.string$1().default(""),
		Source: require_libraries.string$1().default(""),
		RW: require_libraries.boolean()
	})).nullish()
});
const volumeSchema = require_libraries.object({
	volume: require_libraries.string$1(),
	path: require_libraries.string$1(),
	options: require_libraries.object({
		device: require_libraries.string$1().optional(),
		o: require_libraries.string$1().optional()
	}).nullish()
});
const lineSchema$1 = require_libraries.union([containerSchema, volumeSchema]);
function namesOf$1({ volume, path, options }) {
	const bound = options?.device !== void 0 && /\br?bind\b/.test(options.o ?? "");
	return [
		volume,
		plain(path),
		...bound ? [plain(options.device ?? "")] : []
	];
}
function aliases(source, volumes) {
	return volumes.filter((names) => names.includes(source)).flat();
}
/** Without the trailing slashes with which a compose file may write a path. */
function plain(path) {
	return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

// src/docker/service-order.ts
/** A service after those that it needs; otherwise in the order given. Compose itself refuses cycles. */
function inDependencyOrder(services) {
	const byName = new Map(services.map((service) => [service.name, service]));
	const ordered = /* @__PURE__ */ new Set();
	const visiting = /* @__PURE__ */ new Set();
	const visit = (service) => {
		if (ordered.has(service) || visiting.has(service.name)) return;
		visiting.add(service.name);
		for (const name of service.dependsOn) {
			const needed = byName.get(name);
			if (needed) visit(needed);
		}
		ordered.add(service);
	};
	for (const service of services) visit(service);
	return [...ordered];
}
/** Services in groups that may stop at once: each in a later group than all that need it. */
function stopWaves(services) {
	const waves = [];
	const waveOf = /* @__PURE__ */ new Map();
	for (const service of inDependencyOrder(services).toReversed()) {
		const needing = services.filter(({ dependsOn }) => dependsOn.includes(service.name));
		const at = Math.max(0, ...needing.map(({ name }) => 1 + (waveOf.get(name) ?? 0)));
		waveOf.set(service.name, at);
		waves[at] = [...waves[at] ?? [], service];
	}
	return waves;
}

// src/docker/stats.ts
/** Prints, for each running container of a project, its own memory limit and one measurement of `docker stats` (takes 2 s). */
function measureProject(project) {
	const filter = `label=com.docker.compose.project=${project}`;
	return sh`ids=$(${limited} docker ps --quiet --no-trunc --filter ${filter}) || exit
[ -n "$ids" ] || exit 0
${limited} docker inspect --type container --format ${"{\"id\":{{json .Id}},\"service\":{{json (index .Config.Labels \"com.docker.compose.service\")}},\"limit\":{{.HostConfig.Memory}}}"} $ids || exit
${limited} docker stats --no-stream --no-trunc --format '{"of":{{json .ID}},"cpu":{{json .CPUPerc}},"memory":{{json .MemUsage}}}' $ids`;
}
/** Joins what `measureProject` printed. A container without a memory limit of its own has `memoryLimit` 0. */
function parseStats(output) {
	const seen = output.split("\n").filter((line) => line.trim() !== "").map((line) => lineSchema.parse(JSON.parse(line)));
	return seen.flatMap((one) => {
		if (!("of" in one)) return [];
		const container = seen.find((other) => "id" in other && other.id === one.of);
		if (!container || !("id" in container)) return [];
		const memory = parseBytes(one.memory.split("/")[0] ?? "");
		const cpu = Number.parseFloat(one.cpu);
		if (memory === void 0 || Number.isNaN(cpu)) return [];
		return [{
			id: one.of,
			service: container.service,
			cpu: cpu / 100,
			memory,
			memoryLimit: container.limit
		}];
	});
}
/** Bytes of `12.5MiB` or `1.2kB`, as docker prints sizes; undefined when the text is none. */
function parseBytes(text) {
	const [, count, unit = ""] = /^\s*([\d.]+)\s*([kKMGTP]?i?B)\s*$/.exec(text) ?? [];
	if (count === void 0) return void 0;
	const power = "kMGTP".indexOf(unit.charAt(0).replace("K", "k")) + 1;
	return Math.round(Number(count) * (unit.includes("i") ? 1024 : 1e3) ** power);
}
const lineSchema = require_libraries.union([require_libraries.object({
	id: require_libraries.string$1(),
	service: require_libraries.string$1(),
	limit: require_libraries.number()
}), require_libraries.object({
	of: require_libraries.string$1(),
	cpu: require_libraries.string$1(),
	memory: require_libraries.string$1()
})]);

// src/docker/compose-stack.ts
/**
* The stack as Docker Compose v2 on one host. Every look is one round trip and throws the engine's own error
* (`engine-hung`, `engine-down`, `engine-denied`, `docker-missing`, `compose-missing` ...) when Docker cannot answer.
*/
function composeStack({ host, config, preview = [] }) {
	const { project } = config;
	let kept;
	const stack = {
		project,
		definition: () => {
			kept ??= readDefinition$1(host, config, preview);
			kept.catch(() => {
				kept = void 0;
			});
			return kept;
		},
		forget: () => {
			kept = void 0;
		},
		preview: (files) => composeStack({
			host,
			config,
			preview: files
		}),
		containers: (service) => listContainers(host, project, service),
		servicesOf: async (profile) => chooseServices(await stack.definition(), config, profile),
		mounting: async (sources) => parseMounting((await askEngine(host, inspectMounts)).stdout, sources),
		logs: (container, lines) => readLogs(host, container, lines),
		plan: async (services, options = {}) => {
			const [text, containers] = await Promise.all([dryRun(host, upDryRun(config, services, {
				...options,
				preview
			}), options.partial ?? false), stack.containers()]);
			return parsePlan(text, {
				project,
				services,
				containers
			});
		},
		stats: async () => parseStats((await askEngine(host, measureProject(project))).stdout),
		pull: (services) => pullCommand(services),
		up: (services, options) => upCommand(config, services, options ?? {}),
		stop: (containers, options) => stopCommand(containers, options ?? {}),
		start: (containers) => change`docker start ${idsOf(containers)}`,
		remove: (containers) => change`docker rm ${idsOf(containers)}`
	};
	return stack;
}
async function readDefinition$1(host, config, preview) {
	const command = sh`(${composeCommand(config, {
		prefix: limited,
		preview
	})} --profile '*' config --format json)`;
	return parseDefinition((await askEngine(host, command)).stdout);
}
async function listContainers(host, project, service) {
	return parseContainers((await askEngine(host, inspectProject(project, service))).stdout);
}
async function readLogs(host, container, lines) {
	const { stdout } = await askEngine(host, sh`${limited} docker logs --tail ${lines} --timestamps ${container.id} 2>&1`);
	return stdout;
}
/**
* `app` services are those that `app.services` names, else those of the app profile. A service without any profile
* counts as infrastructure unless `app.services` names it.
*/
function chooseServices(definition, config, profile) {
	const named = config.app.services;
	const isApp = (service) => named ? named.includes(service.name) : service.profiles.includes(config.compose.profiles.app);
	const isInfrastructure = (service) => !isApp(service) && (service.profiles.length === 0 || service.profiles.includes(config.compose.profiles.infrastructure));
	return inDependencyOrder(definition.services.filter(profile === "app" ? isApp : isInfrastructure));
}
/** What compose said before its dry run failed is enough where `partial`: 2.26 cannot play through copying an inline config. */
async function dryRun(host, command, partial) {
	const result = await askEngine(host, command, {
		timeout: 9e4,
		allow: partial ? "any" : [0]
	});
	const fault = engineError(result, host.name);
	if (fault) throw fault;
	return `${result.stdout}\n${result.stderr}`;
}
function upDryRun(config, services, options) {
	const up = composeUp(config, services, {
		prefix: sh`timeout -k 2 80`,
		globals: ["--dry-run"],
		flags: options.noDependencies ? ["--no-deps"] : [],
		override: options.images && imagesOverride(options.images),
		preview: options.preview
	});
	return sh`(${up})`;
}
function upCommand(config, services, options) {
	const flags = [
		...options.forceRecreate ? ["--force-recreate"] : [],
		...options.noDependencies ? ["--no-deps"] : [],
		...options.noRecreate ? ["--no-recreate"] : [],
		...options.pull ? ["--pull", options.pull] : [],
		...Object.entries(options.scale ?? {}).flatMap(([service, copies]) => ["--scale", `${service}=${copies}`])
	];
	const override = options.images && imagesOverride(options.images, options.pull);
	return change`${composeUp(config, services, {
		prefix: sh``,
		globals: [],
		flags,
		override
	})}`;
}
/** Never with `-y`: newer compose versions ask before they recreate a volume whose definition changed, and no is the answer. */
function composeUp(config, services, call) {
	const { prefix, globals, flags, override, preview = [] } = call;
	const compose = composeCommand(config, {
		prefix,
		deployed: true,
		override: override !== void 0,
		preview
	});
	const up = sh`${compose} --profile '*' ${globals} up --detach --no-build --quiet-pull ${flags} ${some(services)}`;
	if (override === void 0) return sh`${up} </dev/null`;
	return sh`printf '%s\\n' ${override} | { ${up}
}`;
}
/** By reference and not by `compose pull`, which asks the registry even for what is there. */
function pullCommand(services) {
	const images = [...new Set(services.map((one) => one.image).filter((image) => image !== ""))];
	return change`for image in ${some(images)}; do
docker image inspect "$image" >/dev/null 2>&1 || docker pull --quiet "$image" || exit
done`;
}
function stopCommand(containers, options) {
	const flags = [...options.signal ? ["--signal", options.signal] : [], ...options.graceSeconds === void 0 ? [] : ["--time", String(options.graceSeconds)]];
	return change`docker stop ${flags} ${idsOf(containers)}`;
}
function idsOf(containers) {
	return some(containers.map((one) => one.id));
}
/** An empty list would mean "everything" to compose, and an error to docker. */
function some(names) {
	if (names.length === 0) throw refusal("nothing-named", "no service or container was named for this step");
	return names;
}

// src/host/frame.ts
/**
* The one command ever given to sshd, or run here: it reads a length, then that many bytes of script, and evaluates
* them; what follows is the command's own input. Nothing in it varies, so any login shell passes it on, and nothing
* shows in a process list. `dd bs=1` because dash and busybox read ahead and would eat the data behind the script.
*/
const bootstrap = `sh -c 'read -r n && eval "$(dd bs=1 count="$n" 2>/dev/null)"'`;
/** Puts a command's text into a frame with marks that nobody can guess. */
function frame(text, { input, limit }) {
	const [start, end] = [mark(), mark()];
	const script = Buffer.from(scriptOf(text, {
		start,
		end,
		seconds: Math.ceil(limit / 1e3),
		input
	}));
	return {
		bytes: Buffer.concat([Buffer.from(`${script.length}\n`), script]),
		start,
		end
	};
}
/** Seconds between two looks of the watch. */
const watchStep = 3;
/**
* The text is one quoted word, so that a script cut short by a lost connection is a syntax error and never half a
* command. sshd gives each command a process group of its own; when the shell or its parent (the login shell) leads it,
* it holds nothing but this command and may be killed whole, by us or by the watch. The watch strikes at the limit, or
* when the group's leader lost its parent: then the client is gone.
*/
function scriptOf(text, { start, end, seconds, input }) {
	return `{ read -r _ _ _ _ ia_group _ </proc/$$/stat; read -r _ _ _ ia_parent _ <"/proc/$ia_group/stat"; } 2>/dev/null
case $ia_group in $$ | $PPID) ;; *) ia_group=0 ;; esac
printf '%s %s\\n' ${start} "$ia_group"; printf '%s %s\\n' ${start} "$ia_group" >&2
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C; export PATH LC_ALL; umask 077
(
  trap 'kill "$!" 2>/dev/null; exit' TERM
  left=${seconds}
  while [ "$left" -gt 0 ]; do
    nap=$((left < ${watchStep} ? left : ${watchStep})) left=$((left - ${watchStep}))
    sleep "$nap" & wait "$!"
    [ "$ia_group" != 0 ] || continue
    read -r _ _ _ parent _ <"/proc/$ia_group/stat" && [ "$parent" = "$ia_parent" ] || break
  done
  if [ "$ia_group" = 0 ]; then kill -KILL $$; else kill -KILL "-$ia_group"; fi
) </dev/null >/dev/null 2>&1 &
ia_watch=$!
( eval ${quote(text)} )${input ? "" : " </dev/null"}
set -- "$?"
kill "$ia_watch" 2>/dev/null
printf '\\n%s %s\\n' ${end} "$1"; printf '\\n%s %s\\n' ${end} "$1" >&2
`;
}
function mark() {
	return `ia-${(0, node_crypto.randomBytes)(16).toString("hex")}`;
}

// src/host/frame-reader.ts
/** Passes bytes on as they come and holds back only what might be the beginning of the end mark. */
function frameReader({ start, end }) {
	const settled = Promise.withResolvers();
	const state = {
		startMark: Buffer.from(`${start} `),
		endMark: Buffer.from(`\n${end} `),
		phase: "noise",
		held: Buffer.alloc(0),
		group: void 0,
		code: void 0
	};
	const stream = new node_stream.Transform({
		transform(chunk, _encoding, next) {
			state.held = state.held.length > 0 ? Buffer.concat([state.held, chunk]) : chunk;
			while (phases[state.phase](state, stream));
			if (state.code !== void 0) settled.resolve();
			next();
		},
		flush(next) {
			if (state.phase === "output" && state.held.length > 0) stream.push(state.held);
			next();
		}
	});
	stream.once("finish", () => settled.resolve());
	stream.once("close", () => settled.resolve());
	return {
		stream,
		started: () => state.phase !== "noise",
		group: () => state.group,
		code: () => state.code,
		settled: settled.promise
	};
}
/** What each phase does with what is held; true when the rest belongs to the next phase. */
const phases = {
	noise(state) {
		const { held, startMark } = state;
		const at = held.indexOf(startMark);
		state.held = at < 0 ? held.subarray(Math.max(0, held.length - startMark.length)) : held.subarray(at + startMark.length);
		if (at >= 0) state.phase = "group";
		return at >= 0;
	},
	group(state) {
		const line = takeLine(state);
		if (line === void 0) return false;
		state.group = Number(line) || void 0;
		state.phase = "output";
		return true;
	},
	output(state, stream) {
		const { held, endMark } = state;
		const at = held.indexOf(endMark);
		const cut = at < 0 ? held.length - possibleMark(held, endMark) : at;
		if (cut > 0) stream.push(held.subarray(0, cut));
		state.held = held.subarray(at < 0 ? cut : at + endMark.length);
		if (at >= 0) state.phase = "code";
		return at >= 0;
	},
	code(state, stream) {
		const line = takeLine(state);
		if (line === void 0) return false;
		state.code = Number(line);
		state.phase = "done";
		stream.push(null);
		return true;
	},
	done(state) {
		state.held = Buffer.alloc(0);
		return false;
	}
};
function takeLine(state) {
	const at = state.held.indexOf("\n");
	if (at < 0) return void 0;
	const line = state.held.toString("latin1", 0, at);
	state.held = state.held.subarray(at + 1);
	return line;
}
/** How many bytes at the end of `bytes` could be the beginning of `mark`, whose only line feed is its first byte. */
function possibleMark(bytes, mark) {
	const at = bytes.lastIndexOf("\n");
	if (at < 0) return 0;
	const tail = bytes.subarray(at);
	return tail.length < mark.length && mark.subarray(0, tail.length).equals(tail) ? tail.length : 0;
}

// src/host/frame-run.ts
const defaultTimeout = 6e4;
/** Milliseconds the host waits longer than we do before it ends a command by itself. */
const hostGrace = 2e3;
const stderrLimit = 1 << 20;
/** Starts a command inside its frame. `name` is the host's, for messages. */
function runFramed(open, name, command, options = {}) {
	const { timeout = defaultTimeout, input, signal } = options;
	const framed = frame(command.text, {
		input: input !== void 0,
		limit: timeout + hostGrace
	});
	const { out, err, stderr } = readersOf(framed);
	const outcome = Promise.withResolvers();
	handled(outcome.promise);
	const began = performance.now();
	let settled = false;
	let timer;
	function settle(act) {
		if (settled) return;
		settled = true;
		clearTimeout(timer);
		signal?.removeEventListener("abort", abort);
		if (input instanceof node_stream.Readable) input.destroy();
		act();
	}
	function give(error) {
		settle(() => {
			outcome.reject(error);
			out.stream.destroy(error);
			err.stream.destroy();
			channel.then((one) => one.kill(out.group())).catch(() => void 0);
		});
	}
	const abort = () => give(aborted(name, signal));
	const channel = open(signal);
	watchInput(input, give);
	signal?.addEventListener("abort", abort, { once: true });
	if (signal?.aborted) abort();
	channel.then(async (one) => {
		if (settled) return;
		timer = setTimeout(() => give(timedOut(name, command, timeout)), timeout);
		connect(one, out, err);
		feed(one.stdin, framed.bytes, input);
		const code = await verdict({
			channel: one,
			out,
			err,
			name,
			command
		});
		const duration = Math.round(performance.now() - began);
		settle(() => outcome.resolve({
			command,
			code,
			stderr: stderr(),
			duration
		}));
		one.close();
	}).catch((error) => give(error));
	return {
		output: out.stream,
		end: outcome.promise,
		give
	};
}
/** A rejection that comes before the caller looks must not end the process; the caller still gets it. */
function handled(promise) {
	promise.catch(() => void 0);
}
function readersOf(framed) {
	const [out, err] = [frameReader(framed), frameReader(framed)];
	for (const { stream } of [out, err]) stream.on("error", () => void 0);
	return {
		out,
		err,
		stderr: keepTail(err.stream, stderrLimit)
	};
}
/** A source that breaks must not look like the end of the data. */
function watchInput(input, give) {
	if (!(input instanceof node_stream.Readable)) return;
	(0, node_stream.finished)(input, { writable: false }, (error) => {
		if (error) give(failure("input-broken", `a command's data could not be read: ${error.message}`, { cause: error }));
	});
}
/** The end marks of both streams are proof; without them, what the transport says once both streams are read to their end. */
async function verdict(parts) {
	const { channel, out, err, name, command } = parts;
	await Promise.all([out.settled, err.settled]);
	const code = out.code();
	if (code !== void 0) return code;
	throw noEnd(await channel.closed, {
		started: out.started(),
		name,
		command
	});
}
function noEnd(end, at) {
	const shown = `\`${firstLine(at.command)}\``;
	if (end.signal !== void 0) return new HostError("lost", `${shown} on ${at.name} was ended by signal ${end.signal}: it is not known how far it got`);
	if (!at.started && end.code !== void 0) return new HostError("did-not-run", `${at.name} accepted the login but never ran ${shown} (it answered with exit code ${end.code})`, { hint: "Check the user's login shell, its start-up files (nothing in them may read standard input or exit) and any ForceCommand or command= restriction." });
	return new HostError("lost", `${at.name} broke off during ${shown}: it is not known how far it got`);
}
function connect(channel, out, err) {
	for (const [from, to] of [[channel.stdout, out.stream], [channel.stderr, err.stream]]) {
		from.pipe(to, { end: false });
		(0, node_stream.finished)(from, { writable: false }, () => to.end());
	}
}
/** Writes the frame, then the command's input. A command may end without reading it all: its exit code tells, not EPIPE. */
function feed(stdin, bytes, input) {
	stdin.on("error", () => void 0);
	stdin.write(bytes);
	if (!(input instanceof node_stream.Readable)) {
		if (input === void 0) stdin.end();
		else stdin.end(input instanceof Secret ? input.reveal() : input);
		return;
	}
	input.pipe(stdin);
}
/** Reads a stream to its end and keeps the last `limit` bytes. */
function keepTail(stream, limit) {
	let kept = [];
	let size = 0;
	stream.on("data", (chunk) => {
		kept.push(chunk);
		size += chunk.length;
		if (size > 2 * limit) {
			kept = [Buffer.concat(kept).subarray(-limit)];
			size = limit;
		}
	});
	return () => Buffer.concat(kept).subarray(-limit).toString();
}
function timedOut(name, command, timeout) {
	return new HostError("timeout", `\`${firstLine(command)}\` on ${name} gave no answer within ${timeout / 1e3} s`);
}
function aborted(name, signal) {
	return new HostError("aborted", `work on ${name} was called off`, { cause: signal?.reason });
}
function firstLine(command) {
	const line = command.text.trim().split("\n")[0] ?? "";
	return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

// src/host/limit.ts
function limit$3(count) {
	const waiting = /* @__PURE__ */ new Set();
	let free = count;
	function leave() {
		free += 1;
		const [first] = waiting;
		first?.();
	}
	function take() {
		free -= 1;
		let left = false;
		return () => {
			if (!left) leave();
			left = true;
		};
	}
	return { async enter(signal) {
		signal?.throwIfAborted();
		if (free > 0) return take();
		const { promise, resolve, reject } = Promise.withResolvers();
		const next = () => {
			waiting.delete(next);
			signal?.removeEventListener("abort", give);
			resolve(take());
		};
		const give = () => {
			waiting.delete(next);
			reject(signal?.reason);
		};
		waiting.add(next);
		signal?.addEventListener("abort", give, { once: true });
		return promise;
	} };
}

// src/host/frame-host.ts
/** OpenSSH allows ten sessions on a connection and still counts those that are closing. */
const channelLimit = 8;
/** Bytes that `run` gathers; more is a job for `stream`. */
const outputLimit = 67108864;
/** Milliseconds for the transfer of one file. */
const transferTimeout = 216e5;
/** A host over anything that can start the bootstrap. */
function framedHost({ name, open, signal, dispose }) {
	const places = limit$3(channelLimit);
	const openInPlace = async (signal) => {
		const leave = await places.enter(signal);
		try {
			const channel = await open(signal);
			channel.closed.then(leave);
			return channel;
		} catch (error) {
			leave();
			throw error;
		}
	};
	const start = (command, options) => runFramed(openInPlace, name, command, {
		...options,
		signal: options?.signal ? AbortSignal.any([signal, options.signal]) : signal
	});
	const host = {
		name,
		async run(command, options) {
			const running = start(command, options);
			const [stdout, end] = await Promise.all([gather(running), running.end]);
			const result = {
				...end,
				stdout
			};
			if (!allowed(end.code, options)) throw new CommandError(result);
			return result;
		},
		stream: (command, options) => streamed(name, start(command, options), options),
		upload: (content, path, options) => upload(host, content, path, options),
		download: (path, options) => host.stream(sh`cat -- ${path}`, {
			...options,
			timeout: transferTimeout
		}).stdout,
		[Symbol.asyncDispose]: dispose
	};
	return host;
}
async function gather(running) {
	const chunks = [];
	let size = 0;
	for await (const chunk of running.output) {
		chunks.push(chunk);
		size += chunk.length;
		if (size > outputLimit) running.give(failure("output-too-large", `a command printed more than ${outputLimit} bytes`));
	}
	return Buffer.concat(chunks).toString();
}
/** The reader of `stdout` gets all bytes first, then the error, so that a pipeline never takes a part for the whole. */
function streamed(name, running, options = {}) {
	const done = running.end.then((end) => {
		if (!allowed(end.code, options)) throw new CommandError({
			...end,
			stdout: ""
		});
		return end;
	});
	done.catch(() => void 0);
	const bytes = running.output[Symbol.asyncIterator]();
	return {
		stdout: new node_stream.Readable({
			highWaterMark: 0,
			read() {
				bytes.next().then(async (next) => {
					if (next.done) await done;
					this.push(next.done ? null : next.value);
				}).catch((error) => this.destroy(error));
			},
			destroy(error, next) {
				running.give(new HostError("aborted", `the output of a command on ${name} was given up`));
				next(error);
			}
		}),
		done
	};
}
function allowed(code, { allow = [0] } = {}) {
	return allow === "any" || allow.includes(code);
}
/**
* Two steps, because a lost connection ends the input as if it were whole: the file gets its name only after the host
* has counted as many bytes as were sent.
*/
async function upload(host, content, path, { mode = 384, signal } = {}) {
	const part = node_path.posix.join(node_path.posix.dirname(path), `.${node_path.posix.basename(path)}.${(0, node_crypto.randomBytes)(6).toString("hex")}.part`);
	const options = {
		timeout: transferTimeout,
		...signal && { signal }
	};
	const counted = countBytes(content);
	try {
		const write = change`cat >${part} && chmod ${mode.toString(8)} -- ${part} && sync ${part} && wc -c <${part}`;
		const { stdout } = await host.run(write, {
			...options,
			input: counted.input
		});
		if (Number(stdout) !== counted.size()) throw failure("upload-incomplete", `${host.name} has ${stdout.trim()} of ${counted.size()} bytes of ${path}`);
		await host.run(change`mv -f -- ${part} ${path} && sync ${node_path.posix.dirname(path)}`, options);
	} catch (error) {
		await host.run(change`rm -f -- ${part}`, { timeout: 1e4 }).catch(() => void 0);
		throw error;
	}
}
function countBytes(content) {
	if (content instanceof Secret) return {
		input: content,
		size: () => Buffer.byteLength(content.reveal())
	};
	if (!(content instanceof node_stream.Readable)) return {
		input: content,
		size: () => Buffer.byteLength(content)
	};
	let size = 0;
	const counter = new node_stream.Transform({ transform(chunk, _encoding, next) {
		size += chunk.length;
		next(null, chunk);
	} });
	return {
		input: (0, node_stream.pipeline)(content, counter, () => void 0),
		size: () => size
	};
}

// src/host/local.ts
/** This machine, in the same frame as a remote one. */
function localHost({ log, directory, shell = ["sh"] } = {}) {
	const ending = new AbortController();
	const running = /* @__PURE__ */ new Set();
	return framedHost({
		name: "localhost",
		signal: ending.signal,
		async open() {
			const channel = await startShell(shell, directory);
			running.add(channel);
			channel.closed.then(() => running.delete(channel));
			return channel;
		},
		async dispose() {
			if (running.size > 0) log?.(`ending ${running.size} commands that still run here`);
			ending.abort();
			await Promise.all([...running].map((channel) => channel.closed));
		}
	});
}
async function startShell([program, ...words], directory) {
	const child = (0, node_child_process.spawn)(program, [
		...words,
		"-c",
		bootstrap
	], {
		detached: true,
		...directory && { cwd: directory }
	});
	const closed = new Promise((resolve) => {
		child.once("close", (code, signal) => resolve({
			...code !== null && { code },
			...signal !== null && { signal }
		}));
	});
	await new Promise((resolve, reject) => {
		child.once("spawn", resolve);
		child.once("error", (cause) => {
			reject(new HostError("unreachable", `cannot start ${program}${directory ? ` in ${directory}` : ""}: ${cause.message}`, { cause }));
		});
	});
	const close = () => {
		child.stdin.destroy();
		child.stdout.destroy();
		child.stderr.destroy();
	};
	return {
		stdin: child.stdin,
		stdout: child.stdout,
		stderr: child.stderr,
		closed,
		close,
		kill() {
			try {
				if (child.pid !== void 0) process.kill(-child.pid, "SIGKILL");
			} catch (error) {
				if (error.code !== "ESRCH") throw error;
			}
			close();
		}
	};
}

// src/host/plain-work.ts
/**
* A `Work` without keeper, journal and lease, for a machine where only this process works and nothing has to outlive it:
* each step ends with its command, and an abort ends it at once.
*/
function plainWork(host, { id, log, signal }) {
	const start = (name) => {
		if (signal.aborted) throw new HostError("aborted", `cancelled before ${name}`);
		log(name);
	};
	return {
		dryRun: false,
		id,
		async step(name, command, { timeout = 6e5, input, onLine } = {}) {
			start(name);
			const result = await host.run(command, {
				timeout,
				signal,
				...input === void 0 ? {} : { input }
			});
			for (const line of result.stdout.split("\n").filter((one) => one !== "")) onLine?.(line);
			return result;
		},
		async check(name, observe) {
			start(name);
			return observe();
		}
	};
}

// src/job/clock.ts
/** The real time. */
const systemClock = {
	now: () => /* @__PURE__ */ new Date(),
	sleep: (milliseconds, signal) => (0, node_timers_promises.setTimeout)(milliseconds, void 0, signal ? { signal } : {})
};

// src/docker/image.ts
/** What the engine knows of an image, by any reference or id; undefined when it has none such. */
async function inspectImage(host, reference) {
	const command = sh`${limited} docker image inspect --format ${"{\"id\":{{json .Id}},\"digests\":{{json .RepoDigests}},\"tags\":{{json .RepoTags}}}"} ${reference}`;
	const result = await askEngine(host, command, { allow: [0, 1] });
	if (result.code === 0) return factsSchema$1.parse(JSON.parse(result.stdout));
	if (/no such image/i.test(result.stderr)) return void 0;
	throw engineError(result, host.name) ?? new CommandError(result);
}
/** The image that a container runs: read from the container's image id, not from the name it was started by. */
async function imageOf$1(host, container) {
	const facts = await inspectImage(host, container.imageId);
	if (!facts) throw failure("image-gone", `the image that ${container.name} runs (${container.imageId}) is no longer on ${host.name}`);
	return pin(container.image, facts);
}
/**
* Brings an image onto the host and pins it. A reference with a digest is taken from the host when it is there, else
* pulled; a tag is always asked of its registry, because tags move, and the host's own copy is used, with a doubt,
* when no registry knows it. Refuses with `image-unavailable` when neither has it. `step` names the pull.
*/
async function ensureImage({ host, work }, reference, step) {
	const local = await inspectImage(host, reference);
	if (local && isFixed(reference)) return pin(reference, local);
	const problem = await pull(work, reference, step);
	const found = await work.check(`inspect ${reference}`, () => inspectImage(host, reference), local ?? assumed$1(reference));
	if (!found) throw refusal("image-unavailable", `the image ${reference} is not on ${host.name} and cannot be pulled${problem ? `: ${problem}` : ""}`, { hint: "Push the image, correct its reference, or log the host in to its registry with `docker login`. Nothing was changed." });
	const pinned = pin(reference, found);
	return problem ? {
		...pinned,
		doubt: `${reference} could not be asked of its registry (${problem}); the host's own copy is used`
	} : pinned;
}
/** Whether a reference names bytes rather than a tag that may move. */
function isFixed(reference) {
	return /(^|@)sha256:[0-9a-f]{64}$/.test(reference);
}
/** The repository of a reference: without tag and digest. A port of the registry is no tag. */
function repositoryOf(reference) {
	return reference.replace(/@sha256:[0-9a-f]+$/, "").replace(/:[^:/]+$/, "");
}
/** Picks the reference that means the same bytes tomorrow: the digest in the asked repository, else any digest, else the id. */
function pin(asked, facts) {
	const repository = repositoryOf(asked);
	const reference = (facts.digests.includes(asked) ? asked : void 0) ?? facts.digests.find((digest) => sameRepository(repositoryOf(digest), repository)) ?? facts.digests[0] ?? facts.id;
	return {
		...facts,
		asked,
		reference,
		doubt: void 0
	};
}
const factsSchema$1 = require_libraries.object({
	id: require_libraries.string$1().regex(/^sha256:/),
	digests: require_libraries.array(require_libraries.string$1()).nullable().transform((list) => list ?? []),
	tags: require_libraries.array(require_libraries.string$1()).nullable().transform((list) => list ?? [])
});
/** Docker Hub's names have a short and a long form. */
function sameRepository(a, b) {
	const short = (name) => name.replace(/^(docker\.io\/|index\.docker\.io\/)/, "").replace(/^library\//, "");
	return short(a) === short(b);
}
/** The registry's answer when it has no such image or cannot be reached; undefined when pulled. */
async function pull(work, reference, step) {
	try {
		await work.step(step, change`docker pull --quiet ${reference}`, { timeout: 9e5 });
		return;
	} catch (error) {
		if (!(error instanceof CommandError)) throw error;
		return error.result.stderr.trim().split("\n").at(-1) || error.message;
	}
}
/** What a dry run takes for an image that would have to be pulled first; no image has this id. */
function assumed$1(reference) {
	return {
		id: `sha256:${"0".repeat(64)}`,
		digests: isFixed(reference) ? [reference] : [],
		tags: [reference]
	};
}

// src/job/is-ours.ts
/** Whether this run may still act: it is not cancelled, has its lock, and knows what became of its last step. */
function isOurs(tools, error) {
	if (tools.signal.aborted || error instanceof HostError) return false;
	return !(error instanceof AppError) || error.code !== "lease-lost" && error.code !== "step-cut";
}

// src/job/host-now.ts
/**
* The host's own time, to the second. What lies on the host is dated by it, so that "older" and "later" hold whatever the
* clocks of the runners say.
*/
async function hostNow({ host }) {
	const { stdout } = await host.run(sh`date +%s`);
	const seconds = Number(stdout.trim());
	if (stdout.trim() === "" || !Number.isFinite(seconds)) throw failure("host-answer", `the host does not tell its time: ${stdout.slice(0, 80)}`);
	return /* @__PURE__ */ new Date(seconds * 1e3);
}

// src/job/mask.ts
/** Shorter values stand in ordinary text too often to be masked everywhere. */
const shortest = 5;
/**
* Takes the stack's secrets out of texts that containers wrote: every value of an environment variable whose name says
* that it is one, the password in every URL of the environment, and whatever looks like one in the text.
*/
function masker(definition) {
	const values = definition.services.flatMap((service) => Object.entries(service.environment).flatMap(secretsIn));
	const secrets = [...new Set(values)].filter((value) => value.length >= shortest).sort((a, b) => b.length - a.length);
	return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, "***"), text).replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s@/]+@/gi, "$1***@").replaceAll(/\b((?:[\w-]*(?:password|passwd|secret|token|api[_-]?key))["']?\s*[=:]\s*["']?)[^\s"',;]+/gi, "$1***");
}
const telling = /pass|pwd|secret|token|key|credential|auth|private|salt|dsn/i;
function secretsIn([name, value]) {
	const inUrl = /^[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:([^\s@/]+)@/i.exec(value)?.[1];
	return [...telling.test(name) ? [value, encodeURIComponent(value)] : [], ...inUrl === void 0 ? [] : [inUrl, decode$1(inUrl)]];
}
function decode$1(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

// src/job/wait-healthy.ts
/** Restarts while it is waited for that make a loop. What came before may have had a reason that is gone. */
const restartLoop = 3;
/**
* Waits until every named service runs and is healthy, as Docker's own health check says (without one: running for two
* seconds by the host's clock). Fails at once, with the container's last log lines, when one exits, turns unhealthy or
* restarts again and again: waiting longer would not help.
*/
async function waitHealthy(tools, services, options = {}) {
	const budget = options.budget ?? Math.max(3e5, ...services.map((one) => one.healthBudget ?? 0));
	const ahead = await hostAhead(tools, services);
	const start = tools.clock.now().getTime();
	const restarts = /* @__PURE__ */ new Map();
	const isLooping = (one) => one.restarts - (restarts.get(one.id) ?? one.restarts) >= restartLoop;
	for (;;) {
		const seen = (await tools.stack.containers()).filter((one) => options.containers?.includes(one.id) ?? true);
		for (const { id, restarts: before } of seen) if (!restarts.has(id)) restarts.set(id, before);
		const now = tools.clock.now().getTime();
		const waiting = services.filter((one) => !isReady(seen, one, now + ahead));
		if (waiting.length === 0) return;
		const lost = seen.find((one) => waiting.some((service) => service.name === one.service) && (hasEnded(one) || isLooping(one)));
		if (lost) throw await unhealthy(tools, lost, `is ${lost.health === "unhealthy" ? "unhealthy" : describe$2(lost)}`);
		if (now - start > budget) throw await overdue(tools, seen, waiting, budget);
		await tools.clock.sleep(500, tools.signal);
	}
}
/** Milliseconds by which the host's clock, which dates the starts, is ahead of ours; asked where starts count. */
async function hostAhead(tools, services) {
	if (services.every((one) => one.oneShot || one.healthBudget !== void 0)) return 0;
	return (await hostNow(tools)).getTime() - tools.clock.now().getTime();
}
function isReady(containers, service, now) {
	const copies = containers.filter((one) => one.service === service.name);
	return copies.length > 0 && copies.every((one) => isUp(one, service, now));
}
function isUp(container, service, now) {
	if (service.oneShot) return container.state === "exited" && container.exitCode === 0;
	if (container.state !== "running") return false;
	if (container.health !== void 0) return container.health === "healthy";
	return now - Date.parse(container.startedAt) > 2e3;
}
function hasEnded(container) {
	return ["exited", "dead"].includes(container.state) || container.health === "unhealthy";
}
function describe$2(container) {
	const why = container.oomKilled ? ", out of memory" : "";
	return `${container.state} with exit code ${container.exitCode}${why}, restarted ${container.restarts} times`;
}
async function overdue(tools, containers, waiting, budget) {
	const names = waiting.map((one) => one.name).join(", ");
	const first = containers.find((one) => one.service === waiting[0]?.name);
	if (first) return unhealthy(tools, first, `is not healthy after ${formatDuration(budget)} (waited for: ${names})`);
	return failure("not-healthy", `no container of ${names} after ${formatDuration(budget)}`);
}
async function unhealthy(tools, container, problem) {
	const [definition, logs] = await Promise.all([tools.stack.definition(), tools.stack.logs(container, 30)]);
	await tools.log.group(`Last log lines of ${container.service}`, async () => tools.log.untrusted(masker(definition)(logs)));
	return failure("not-healthy", `service ${container.service} ${problem}`, { hint: `Its last log lines are above; on the host: docker logs ${container.name}` });
}

// src/job/deploy-app/pinned-images.ts
/**
* Brings every image that the services shall run onto the host, pinned, before anything is touched. `wanted` is by
* service; what it does not name comes from the compose files. Throws an input error for a service that the app does
* not have, or one without an image; refuses when an image is not to be had.
*/
async function pinImages(tools, services, wanted) {
	const names = services.map((one) => one.name);
	const unknown = Object.keys(wanted).find((name) => !names.includes(name));
	if (unknown !== void 0) throw inputError("unknown-service", `images: the app has no service ${unknown}`, { hint: `Its services are: ${names.join(", ")}.` });
	const byReference = /* @__PURE__ */ new Map();
	const pinned = /* @__PURE__ */ new Map();
	for (const service of services) {
		const reference = wanted[service.name] ?? service.image;
		if (reference === "") throw inputError("image-missing", `service ${service.name} has no image`, { hint: `Give it an \`image\` in the compose file, or pass \`${service.name}=reference\` in images.` });
		const image = byReference.get(reference) ?? await ensureImage(tools, reference, "pull-images");
		if (!byReference.has(reference) && image.doubt !== void 0) tools.log.warning(image.doubt);
		byReference.set(reference, image);
		pinned.set(service.name, image);
	}
	return pinned;
}
/** What to start each of these services by. */
function references(images, services) {
	return Object.fromEntries(services.map((name) => [name, pinnedOf(images, name).reference]));
}
/** For the release history. */
function releaseImages(images) {
	return [...images].map(([service, { asked, reference, id }]) => ({
		service,
		reference: asked,
		...reference.includes("@") ? { digest: reference } : {},
		imageId: id
	}));
}
function pinnedOf(images, service) {
	const image = images.get(service);
	if (!image) throw new TypeError(`no image was pinned for ${service}`);
	return image;
}

// src/job/note.ts
/**
* Shell text that puts a note for later runs on the host, in the place of an earlier one; it ends well only when the note
* is whole and on disk, and leaves the earlier one otherwise. Nobody else may read it.
*/
function writeNote(file, note) {
	return writeText(file, JSON.stringify(note));
}
/** The same for a file of ours that a program of the same user reads. */
function writeText(file, text) {
	const folder = node_path.posix.dirname(file);
	const next = `${file}.t`;
	return change`( umask 077 && mkdir -p ${folder} && printf '%s\\n' ${text} >${next} && sync ${next} && mv -f ${next} ${file} && sync ${folder} )`;
}
/** Shell text that takes notes of one folder away, so that they do not come back after a crash of the host. */
function removeNotes(first, ...more) {
	const folder = node_path.posix.dirname(first);
	return change`{ rm -f ${[first, ...more]} && if [ -d ${folder} ]; then sync ${folder}; fi; }`;
}
/**
* A note that a run left on the host, as its schema has it; undefined only where there is none. Throws `note-unreadable`
* when there is one that says nothing, or not all: nobody guesses about it (S7).
*/
async function readNote$1({ host }, file, schema) {
	const { stdout } = await host.run(sh`if [ -e ${file} ]; then echo there && cat ${file}; else echo none; fi`);
	const [state, ...rest] = stdout.split("\n");
	if (state === "none") return void 0;
	return parseNote(state === "there" ? rest.join("\n") : "", file, schema);
}
/** All notes of a folder. One that cannot be read is told, and hides none of the others. */
async function readNotes({ host }, folder, schema) {
	const { stdout } = await host.run(sh`for one in ${folder}/*.json; do if [ -e "$one" ]; then printf '%s\t' "$one" && tr -d '\n' <"$one" && echo || exit; fi; done; echo end`);
	const lines = stdout.trimEnd().split("\n");
	if (lines.pop() !== "end") throw failure("host-answer", `the list of notes in ${folder} is not whole`);
	const notes = [];
	const problems = [];
	for (const line of lines) {
		const at = line.indexOf("	");
		try {
			notes.push(parseNote(line.slice(at + 1), line.slice(0, at), schema));
		} catch (error) {
			problems.push(messageOf(error));
		}
	}
	return {
		notes,
		problems
	};
}
function parseNote(text, file, schema) {
	if (text.trim() === "") throw unreadable$2(file, "it is empty");
	let value;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw unreadable$2(file, messageOf(error));
	}
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data;
	const [issue] = parsed.error.issues;
	throw unreadable$2(file, `${issue?.path.join(".") || "it"}: ${issue?.message}`);
}
function unreadable$2(file, why) {
	return failure("note-unreadable", `${file}, which an earlier run left, cannot be read: ${why}`, { hint: "It says what that run had begun. Look at what is stopped or half done on the host, put that right by hand, then remove the file." });
}

// src/job/deploy-app/unfinished-note.ts
/** Shell text that writes down which containers there were before new copies are started. */
function unfinishedNote(layout, { release, old }) {
	const { id, commit } = release;
	return writeNote(noteFile$4(layout), {
		format: 1,
		release: id,
		commit,
		old: old.map((one) => one.id)
	});
}
/** Shell text that takes the note away: the deployment has ended, one way or the other. */
function forgetUnfinished(layout) {
	return removeNotes(noteFile$4(layout));
}
const noteSchema$6 = require_libraries.object({
	format: require_libraries.literal(1),
	release: require_libraries.string$1(),
	commit: require_libraries.string$1().default(""),
	/** Ids of the containers that there were before. */
	old: require_libraries.array(require_libraries.string$1())
});
/** The note of a deployment that was interrupted; undefined when the last one ended. */
async function readUnfinished(tools) {
	return readNote$1(tools, noteFile$4(tools.layout), noteSchema$6);
}
function noteFile$4({ state }) {
	return `${state}/deploy.json`;
}

// src/job/deploy-app/copies.ts
/** Containers of these services, whatever their state. */
async function copiesOf$1(tools, services) {
	const names = new Set(services.map((one) => one.name));
	return (await tools.stack.containers()).filter((one) => names.has(one.service));
}
/**
* Starts a whole new set of copies beside the old ones and gives them. The old containers' ids are written down on the
* host first, so that a run after an interruption can tell the two sets apart.
*/
async function startBeside$1(tools, services, options) {
	if (services.length === 0) return [];
	const { images, old, release } = options;
	const names = services.map((one) => one.name);
	const scale = Object.fromEntries(services.map(({ name, replicas }) => [name, replicas + old.filter((one) => one.service === name).length]));
	const up = tools.stack.up(names, {
		noDependencies: true,
		noRecreate: true,
		pull: "never",
		scale,
		images: references(images, names)
	});
	await tools.work.step("start-new", change`${unfinishedNote(tools.layout, {
		release,
		old
	})} || exit\n${up}`, { timeout: 3e5 });
	const assumed = services.map((service) => assumedCopy(tools, service, pinnedOf(images, service.name).id));
	return tools.work.check("find-new", () => newCopies(tools, services, old), assumed);
}
/** Containers of these services that are not among `old`. */
async function newCopies(tools, services, old) {
	return (await copiesOf$1(tools, services)).filter((one) => !old.some(({ id }) => id === one.id));
}
/**
* Waits until these copies are healthy, at least `app.health-timeout` and as long as their health checks may take;
* fails at once when one exits, turns unhealthy or restarts again and again. Then proves that each runs the image asked for.
*/
async function waitForCopies(tools, services, options) {
	if (services.length === 0) return;
	const { images, copies, step } = options;
	const budget = Math.max(tools.config.app["health-timeout"], ...services.map((one) => one.healthBudget ?? 0));
	const ids = copies.map((one) => one.id);
	await tools.work.check(step, async () => {
		assertComplete(services, copies);
		await waitHealthy(tools, services, {
			containers: ids,
			budget
		});
		const now = (await copiesOf$1(tools, services)).filter((one) => ids.includes(one.id));
		for (const copy of now) assertImage(copy, pinnedOf(images, copy.service).id);
	}, void 0);
}
/** Stops copies within their grace periods and removes them, by id. */
async function removeCopies(tools, copies, steps) {
	if (copies.length === 0) return;
	await tools.work.step(steps.stop, tools.stack.stop(copies), { timeout: 9e5 });
	await tools.work.step(steps.remove, tools.stack.remove(copies));
}
function assertComplete(services, copies) {
	for (const { name, replicas } of services) {
		const there = copies.filter((one) => one.service === name).length;
		if (there !== replicas) throw failure("copies-missing", `${there} new copies of ${name} were made, ${replicas} were asked for`);
	}
}
function assertImage(copy, wanted) {
	if (copy.imageId === wanted) return;
	throw failure("wrong-image", `${copy.name} runs ${copy.imageId}, not ${wanted} as asked`, { hint: "Something else started it meanwhile: look at who uses docker compose on the host." });
}
/** What a dry run takes for a container that it does not start. */
function assumedCopy({ stack }, { name }, imageId) {
	return {
		id: `new-${name}`,
		name: `${stack.project}-${name}-new`,
		service: name,
		state: "running",
		health: "healthy",
		healthOutput: "",
		error: "",
		restarts: 0,
		exitCode: 0,
		oomKilled: false,
		startedAt: "",
		finishedAt: "",
		image: imageId,
		imageId,
		configHash: "",
		number: 0,
		restartPolicy: "",
		stopSignal: "",
		mounts: [],
		networks: [],
		pid: 0
	};
}

// src/remote/scripts.ts
const texts$1 = {
	"aside-forget": "# Runs as root in a container: removes directories for good that were set aside. $1 their parent, $2.. names, which only\n# such directories have.\nset -eu\ncd \"$1\"\nshift\nfor one; do\n  case $one in\n    */*) exit 1 ;;\n    *?.aside-backup-????????-??????-?????? | *?.failed-backup-????????-??????-??????) ;;\n    *) echo \"$one is not what was set aside\" >&2; exit 1 ;;\n  esac\ndone\nfor one; do rm -rf \"./$one\"; done\nsync\n",
	"aside-look": "# Which of some directories are there. $1 their parent, $2.. names. Lines `KIB NAME`, then `end`.\nset -eu\ncd \"$1\"\nshift\nfor one; do\n  [ -d \"./$one\" ] || continue\n  size=$(du -sk \"./$one\" | cut -f1)\n  printf '%s %s\\n' \"$size\" \"$one\"\ndone\necho end\n",
	"data-places": "# Says of each place whether it holds anything. $1 = a local image for looking as root (\"\" for none), then the places:\n# host paths, or names of volumes without a path of their own.\n# One line each, in order: \"full\", \"empty\", \"absent\", \"file\", or \"unknown WHY\".\nlook_inside() { # MOUNT, unreadable for this user: a container without network looks, as root, and can write nothing\n  [ -n \"$image\" ] || { echo \"unknown not readable, and no local image to look with\"; return; }\n  problem=$(mktemp) || { echo \"unknown no temporary file\"; return; }\n  # shellcheck disable=SC2016 # expanded in the container\n  seen=$(timeout -k 2 30 docker run --rm --pull never --network none --user 0 --entrypoint sh \\\n    --label infra-actions.look=1 --mount \"$1,target=/look,readonly\" \"$image\" \\\n    -c 'if [ -d /look ]; then found=$(ls -A /look) && printf \"dir\\n%s\" \"$found\"; else echo file; fi' 2>\"$problem\")\n  code=$?\n  why=$(grep -v -e '^$' -e \"^Run 'docker\" -e \"^See 'docker\" \"$problem\" | tail -n 1)\n  rm -f \"$problem\"\n  case $code:$seen in\n    0:dir*) printf '%s\\n' \"$seen\" | sed 1d | verdict ;;\n    0:file) echo file ;;\n    *)\n      case $why in\n        *\"bind source path does not exist\"*) echo absent ;;\n        *) printf 'unknown %s\\n' \"${why:-exit code $code}\" ;;\n      esac ;;\n  esac\n}\nverdict() { # names on standard input; a fresh file system has a lost+found\n  if grep -v -x -e lost+found -e '' | grep -q .; then echo full; else echo empty; fi\n}\nformat='{{println .Driver}}{{println (index .Options \"o\")}}{{println (index .Options \"device\")}}{{.Mountpoint}}'\nimage=$1\nshift\nfor place; do\n  case $place in\n    /*) path=$place ;;\n    *)\n      found=$(timeout -k 2 20 docker volume inspect --format \"$format\" \"$place\" 2>&1)\n      code=$?\n      if [ \"$code\" -ne 0 ]; then\n        case $found in\n          *\"no such volume\"*) echo absent ;;\n          *) printf 'unknown %s\\n' \"$(printf '%s' \"$found\" | tail -n 1)\" ;;\n        esac\n        continue\n      fi\n      { read -r driver && read -r options && IFS= read -r device && IFS= read -r path; } <<FOUND\n$found\nFOUND\n      case $driver:$device:$options in\n        local::*) ;;\n        local:/*:*bind*) path=$device ;; # a place on the host under another name\n        *) # mounted only while a container uses it: its mount point looks empty\n          look_inside \"type=volume,source=$place,volume-nocopy\"\n          continue ;;\n      esac ;;\n  esac\n  if [ -d \"$path\" ] && [ -r \"$path\" ] && [ -x \"$path\" ]; then\n    if names=$(ls -A \"$path\" 2>/dev/null); then printf '%s\\n' \"$names\" | verdict; else look_inside \"type=bind,source=$path\"; fi\n    continue\n  fi\n  if [ -e \"$path\" ] && [ ! -d \"$path\" ]; then\n    echo file\n    continue\n  fi\n  # Behind a folder that this user may not enter, everything looks absent.\n  near=$path\n  while [ ! -e \"$near\" ] && [ \"$near\" != / ]; do near=$(dirname \"$near\"); done\n  if [ \"$near\" != \"$path\" ] && [ -x \"$near\" ]; then echo absent; else look_inside \"type=bind,source=$path\"; fi\ndone\n",
	"diagnostics": "# What a person would look at first, as lines \"NAME<tab>VALUE\". Only looks; a part that is not to be had is left out.\nsay() { [ -z \"$2\" ] || printf '%s\\t%s\\n' \"$1\" \"$2\"; }\nsay docker \"$(timeout -k 2 15 docker version --format '{{.Server.Version}}' 2>/dev/null)\"\nsay compose \"$(timeout -k 2 15 docker compose version --short 2>/dev/null)\"\nsay kernel \"$(uname -sr)\"\nsay load \"$(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null)\"\nsay processors \"$(grep -c '^processor' /proc/cpuinfo 2>/dev/null)\"\nsay memory-total-kib \"$(sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo 2>/dev/null)\"\nsay memory-available-kib \"$(sed -n 's/^MemAvailable: *\\([0-9]*\\).*/\\1/p' /proc/meminfo 2>/dev/null)\"\ntimeout -k 2 15 docker network ls --format '{{.Name}}' 2>/dev/null | while read -r name; do say network \"$name\"; done\ntimeout -k 2 15 docker ps --format '{{.Names}} {{.Ports}}' 2>/dev/null | while read -r name ports; do\n  [ -z \"$ports\" ] || say ports \"$name: $ports\"\ndone\nexit 0\n",
	"drain-copies": "# Waits until nobody is connected to a port of these containers. $1 = port, $2 = most seconds to wait, $3 = image with\n# `cat` for containers that have none, then container ids. Only looks.\n# Prints \"drained\", \"cut N\" when N connections are left at the end, or \"unknown N\" when they could not be counted.\nport=$(printf ':%04X' \"$1\") limit=$2 helper=$3\nshift 3\ncount() { # connections from outside of the container; its own health check comes from its loopback\n  table=$(timeout -k 2 10 docker exec \"$1\" cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)\n  [ -n \"$table\" ] || table=$(timeout -k 2 20 docker run --rm --pull never --network \"container:$1\" --label infra-actions.look=1 \\\n    --entrypoint cat \"$helper\" /proc/net/tcp /proc/net/tcp6 2>/dev/null)\n  if [ -z \"$table\" ]; then\n    # A container that has ended has no connections.\n    [ \"$(docker inspect --type container --format '{{.State.Running}}' \"$1\" 2>/dev/null)\" = true ] && echo unknown || echo 0\n    return\n  fi\n  printf '%s\\n' \"$table\" | awk -v port=\"$port\" '\n    $4 == \"01\" && substr($2, length($2) - 4) == port && $3 !~ /^0100007F:|^00000000000000000000000001000000:|0100007F:/ { n++ }\n    END { print n + 0 }'\n}\nend=$(($(date +%s) + limit))\nquiet=0\nwhile :; do\n  total=0 unknown=0\n  for container; do\n    n=$(count \"$container\")\n    if [ \"$n\" = unknown ]; then unknown=$((unknown + 1)); else total=$((total + n)); fi\n  done\n  # Three looks in a row: between two requests of a busy client there is a moment without any.\n  if [ \"$total\" = 0 ] && [ \"$unknown\" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi\n  if [ \"$quiet\" -ge 3 ]; then echo drained; exit 0; fi\n  if [ \"$(date +%s)\" -ge \"$end\" ]; then\n    if [ \"$unknown\" -gt 0 ]; then echo \"unknown $unknown\"; else echo \"cut $total\"; fi\n    exit 0\n  fi\n  sleep 0.2\ndone\n",
	"fence": "# shellcheck shell=sh\n# A lock is a directory of numbered claims that are never reused: gen.N is claim N with its record, beat.N its last\n# renewal, done.N its release. The highest claim holds the lock until it is released; its number is the fencing token.\n\n# lease_top DIR: sets lease_n to the highest claim, 0 when there is none.\nlease_top() {\n  lease_n=0\n  for lease_f in \"$1\"/gen.*; do\n    lease_k=${lease_f##*.}\n    case $lease_k in\n      '' | *[!0-9]*) ;;\n      *) if [ \"$lease_k\" -gt \"$lease_n\" ]; then lease_n=$lease_k; fi ;;\n    esac\n  done\n}\n\n# lease_held DIR N: whether claim N still holds the lock.\nlease_held() {\n  lease_top \"$1\"\n  [ \"$lease_n\" = \"$2\" ] && [ ! -e \"$1/done.$2\" ]\n}\n",
	"host-facts": "# Looks at disks and at mounted volumes. $1 = how many disk paths follow it, the paths, then triples\n# SERVICE CONTAINER TARGET, one for each place that a container must be able to write.\n# Prints lines, fields separated by tabs: \"disk PATH SIZE FREE\" in KiB, \"disk PATH unknown WHY\",\n# \"write SERVICE TARGET ok|failed|unknown WHY\", \"docker-root PATH\".\ntab=$(printf '\\t')\ndisk() {\n  near=$1\n  # A folder that is not there yet, or behind one that may not be entered, lies on its nearest ancestor's disk.\n  while [ ! -e \"$near\" ] && [ \"$near\" != / ]; do near=$(dirname \"$near\"); done\n  # shellcheck disable=SC2046 # split into columns on purpose\n  set -- \"$1\" $(timeout -k 2 10 df -P -k \"$near\" 2>/dev/null | tail -n 1)\n  case $3:$5 in\n    *[!0-9:]* | :* | *:) printf 'disk\\t%s\\tunknown\\tdf gave no numbers\\n' \"$1\" ;;\n    *) printf 'disk\\t%s\\t%s\\t%s\\n' \"$1\" \"$3\" \"$5\" ;;\n  esac\n}\nwritable() { # SERVICE CONTAINER TARGET: asked inside, as the user that the service runs as; nothing is written\n  user=$(timeout -k 2 15 docker exec \"$2\" stat -c %u:%g /proc/1 2>&1) || user=\n  # shellcheck disable=SC2016 # expanded in the container\n  why=$(timeout -k 2 15 docker exec ${user:+--user \"$user\"} \"$2\" sh -c '[ -w \"$1\" ] || { echo not writable; exit 3; }' sh \"$3\" 2>&1)\n  case $? in\n    0) state=ok ;;\n    3) state=failed ;;\n    *) state=unknown ;;\n  esac\n  printf 'write\\t%s\\t%s\\t%s\\t%s\\n' \"$1\" \"$3\" \"$state\" \"$(printf '%s' \"$why\" | tail -n 1 | tr \"$tab\" ' ')\"\n}\ncount=$1\nshift\nwhile [ \"$count\" -gt 0 ]; do\n  disk \"$1\"\n  shift\n  count=$((count - 1))\ndone\nroot=$(timeout -k 2 15 docker info --format '{{.DockerRootDir}}' 2>/dev/null)\nif [ -n \"$root\" ]; then\n  printf 'docker-root\\t%s\\n' \"$root\"\n  disk \"$root\"\nfi\nwhile [ $# -ge 3 ]; do\n  writable \"$1\" \"$2\" \"$3\" &\n  shift 3\ndone\nwait\n",
	"http-probe": "# Asks one URL from the host. $1 = URL, $2 = seconds to wait.\n# Prints \"STATUS SECONDS\" (SECONDS may be empty) and ends with 0 when a server answered, whatever it said;\n# 10: the host has no program to ask with; 11: nobody answered, the reason is on standard error.\nurl=$1 wait=$2\nif command -v curl >/dev/null 2>&1; then\n  curl --silent --show-error --globoff --output /dev/null --max-time \"$wait\" --write-out '%{http_code} %{time_total}\\n' -- \"$url\" || exit 11\nelif command -v wget >/dev/null 2>&1; then\n  # Both GNU and busybox print the headers on standard error; a refused or missing answer has no status line.\n  said=$(timeout -k 1 \"$wait\" wget -S -O /dev/null -- \"$url\" 2>&1)\n  status=$(printf '%s\\n' \"$said\" | sed -n 's/^ *HTTP\\/[0-9.]* \\([0-9][0-9]*\\).*/\\1/p' | tail -n 1)\n  if [ -z \"$status\" ]; then\n    printf '%s\\n' \"$said\" | tail -n 1 >&2\n    exit 11\n  fi\n  printf '%s \\n' \"$status\"\nelse\n  exit 10\nfi\n",
	"job": "# shellcheck shell=sh\n# What runs detached, in a session of its own: the work, and beside it a watcher in another one.\n# shellcheck disable=SC2154 # variables named work_ are set by keeper.sh\n\n# job_run DIR: runs the script, its output already redirected; the code is written once and last.\njob_run() {\n  trap : TERM INT HUP # not '', which the script would inherit for good\n  umask 077\n  work_about \"$1\" || exit 74\n  read -r job_boot </proc/sys/kernel/random/boot_id\n  echo \"$$ $(cut -d')' -f2- \"/proc/$$/stat\" | cut -d' ' -f21) $job_boot\" >\"$1/pid.t\" && mv \"$1/pid.t\" \"$1/pid\" || exit 74\n  if ! mkdir \"$1/go\" 2>/dev/null; then # given up: somebody else may have started it again\n    rm -f \"$1/pid\"\n    exit 0\n  fi\n  if work_note begin; then\n    setsid sh \"$1/job\" job_watch \"$1\" </dev/null >/dev/null 2>&1 &\n    sh \"$1/script\"\n    job_code=$?\n  else\n    echo \"the journal $work_journal cannot be written: nothing was done\" >&2\n    job_code=74\n  fi\n  rm -f \"$1/input\"\n  if [ \"$job_code\" = 0 ]; then work_note end 0; else work_note failed \"$job_code\"; fi\n  echo \"$job_code\" >\"$1/rc.t\" && ln \"$1/rc.t\" \"$1/rc\" # without a code it counts as cut\n}\n\n# job_watch DIR: keeps the lease while the work runs, whatever becomes of the client, and ends the work after its limit.\n# Afterwards it releases the lease when its holder has asked for that and no other work of it runs.\njob_watch() {\n  umask 077\n  work_about \"$1\" || exit 74\n  read -r job_pid _ <\"$1/pid\"\n  work_uptime\n  job_end=$((work_up + work_limit)) job_beat=$work_up\n  while [ ! -e \"$1/rc\" ] && work_alive \"$1\"; do\n    work_uptime\n    if [ \"$work_up\" -ge \"$job_beat\" ]; then\n      job_beat=$((work_up + work_ttl / 4))\n      lease_renew \"$work_lock\" \"$work_claim\"\n    fi\n    if [ \"$work_up\" -ge \"$job_end\" ]; then\n      : >\"$1/limit\"\n      work_stop \"$1\" \"$work_grace\"\n      break\n    fi\n    sleep 1\n  done\n  if [ ! -e \"$1/rc\" ]; then kill -KILL \"-$job_pid\" 2>/dev/null; fi # killed from outside: nothing of it may act on\n  rm -f \"$1/job\"\n  work_about \"$1\" || exit 74\n  if [ -e \"$work_lock/bye.$work_claim\" ]; then lease_release \"$work_lock\" \"$work_claim\" \"${1%/*}\" >/dev/null; fi\n}\n",
	"keeper": "# shellcheck shell=sh\n# Detached work. Each piece has a folder of its own, claimed by mkdir:\n#   about   run, step, journal, lock, claim, its ttl, limit, grace: one a line     script, input   what runs, what it reads\n#   go      made once: by the work that runs, or by who gave it up before it ran   limit           it was ended for its time\n#   pid     pid, start time, boot id    log, err   its output    rc   its exit code, written once\n\n# shellcheck disable=SC2034 # job.sh uses them too\n\n# work_about DIR: reads `about` into variables.\nwork_about() {\n  {\n    read -r work_run && read -r work_step && read -r work_journal && read -r work_lock && read -r work_claim &&\n      read -r work_ttl && read -r work_limit && read -r work_grace\n  } 2>/dev/null <\"$1/about\"\n}\n\n# work_start DIR ABOUT SCRIPT BYTES JOB INPUT SLICE: runs SCRIPT detached and follows it. JOB is these files' text; INPUT\n# is the length of what comes on standard input, or `-`. Code 75: the folder is taken, so it was started before.\nwork_start() {\n  umask 077\n  mkdir -p \"${1%/*}\" || return 74\n  mkdir \"$1\" 2>/dev/null || return 75\n  printf '%s\\n' \"$2\" >\"$1/about\" && printf '%s' \"$3\" >\"$1/script\" && printf '%s' \"$5\" >\"$1/job\" || return 74\n  if [ \"$(wc -c <\"$1/script\")\" -ne \"$4\" ]; then\n    echo \"the script in $1 is cut\" >&2\n    return 74\n  fi\n  : >\"$1/log\"\n  work_in=/dev/null\n  if [ \"$6\" != - ]; then\n    work_in=$1/input\n    cat >\"$work_in\" || return 74\n    if [ \"$(wc -c <\"$work_in\")\" -ne \"$6\" ]; then\n      rm -f \"$work_in\"\n      echo \"the input of $1 is cut\" >&2\n      return 74\n    fi\n  fi\n  work_about \"$1\" || return 74\n  work_prune \"${1%/*}\"\n  setsid sh \"$1/job\" job_run \"$1\" <\"$work_in\" >\"$1/log\" 2>\"$1/err\" \\\n    3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &\n  work_follow \"$1\" 0 \"$7\"\n}\n\n# work_alive DIR: whether that very process runs. A zombie is dead; another boot id means cut by a reboot.\nwork_alive() {\n  work_p='' work_b=''\n  { read -r work_p work_s work_b; } 2>/dev/null <\"$1/pid\" || return 1\n  read -r work_now </proc/sys/kernel/random/boot_id\n  # shellcheck disable=SC2046 # the fields of stat are meant to be split; the name before them, which may hold anything, is cut off\n  set -- \"$work_b\" \"$work_s\" $(cut -d')' -f2- \"/proc/$work_p/stat\" 2>/dev/null)\n  [ \"$1\" = \"$work_now\" ] && [ \"${3:-Z}\" != Z ] && [ \"${22}\" = \"$2\" ]\n}\n\n# work_left: whether anything else of the group lives, after work_alive has said that its first process does not.\nwork_left() {\n  [ \"$work_b\" = \"$work_now\" ] || return 1\n  for work_f in /proc/[0-9]*/stat; do\n    { read -r work_line <\"$work_f\"; } 2>/dev/null || continue\n    # shellcheck disable=SC2086 # the fields after the name are meant to be split: state, parent, group\n    set -- ${work_line##*)}\n    if [ \"${3:-}\" = \"$work_p\" ] && [ \"$1\" != Z ]; then return 0; fi\n  done\n  return 1\n}\n\n# work_stop DIR GRACE: asks the whole group to end, after GRACE seconds makes it.\nwork_stop() {\n  work_alive \"$1\" || return 0\n  work_group=$work_p work_tries=0\n  kill -TERM \"-$work_group\" 2>/dev/null\n  while work_alive \"$1\" && [ \"$work_tries\" -lt $(($2 * 10)) ]; do\n    sleep 0.1\n    work_tries=$((work_tries + 1))\n  done\n  work_alive \"$1\" || return 0\n  kill -KILL \"-$work_group\" 2>/dev/null\n  rm -f \"$1/input\"\n  echo 137 >\"$1/rc.k\"\n  if ln \"$1/rc.k\" \"$1/rc\" 2>/dev/null && work_about \"$1\"; then work_note failed 137; fi\n  return 0\n}\n\n# work_note STATE [CODE]: one line of the journal, whole because it is short and written at once.\nwork_note() {\n  printf '{\"time\":\"%s\",\"run\":\"%s\",\"step\":\"%s\",\"state\":\"%s\"%s}\\n' \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\" \"$work_run\" \\\n    \"$work_step\" \"$1\" \"${2:+,\\\"code\\\":$2}\" >>\"$work_journal\"\n}\n\n# work_follow DIR OFFSET SLICE: the log from byte OFFSET on, until the work has ended, at most SLICE seconds: no\n# follower outlives its client for longer. Code 76: nobody reads. Last line of standard error: `keeper: ended CODE\n# [limit]`, `keeper: cut` (killed or rebooted), `keeper: again` (still runs), `keeper: unstarted` (did not run and\n# never will).\nwork_follow() {\n  work_o=$2 work_looks=0\n  work_uptime\n  work_until=$((work_up + $3)) work_unseen=$((work_up + 10))\n  while :; do\n    work_end=\n    # The code is looked at before the size: what comes after it is not this work's.\n    if [ -e \"$1/rc\" ]; then work_end=ended; elif [ $((work_looks % 8)) -eq 7 ]; then work_lost \"$1\"; fi\n    work_size=$(wc -c 2>/dev/null <\"$1/log\") || work_size=0\n    work_looks=$((work_looks + 1))\n    if [ \"$work_size\" -gt \"$work_o\" ]; then\n      tail -c +$((work_o + 1)) \"$1/log\" | head -c $((work_size - work_o)) || return 76\n      work_o=$work_size\n    fi\n    work_uptime\n    if [ -z \"$work_end\" ] && [ \"$work_up\" -ge \"$work_until\" ]; then work_end=again; fi\n    if [ \"$work_end\" ]; then break; fi\n    # Seldom at long work, also when it says much: each look costs processes.\n    if [ \"$work_looks\" -lt 5 ]; then sleep 0.05; elif [ \"$work_looks\" -lt 20 ]; then sleep 0.1; else sleep 0.4; fi\n  done\n  work_tell \"$1\"\n}\n\n# Sets work_end when the work was cut, or when it did not start in time and this claims that it never will.\nwork_lost() {\n  work_uptime\n  if [ -e \"$1/pid\" ]; then\n    if ! work_alive \"$1\" && [ ! -e \"$1/rc\" ] && ! work_left; then work_end=\"cut\"; fi\n  elif [ \"$work_up\" -ge \"$work_unseen\" ]; then\n    (umask 077 && mkdir -p \"$1\")\n    if mkdir \"$1/go\" 2>/dev/null; then work_end=unstarted && rm -f \"$1/input\"; fi\n  fi\n}\n\nwork_tell() {\n  case $work_end in\n    again) echo \"keeper: again\" >&2 ;;\n    *)\n      { tail -c 65536 \"$1/err\" 2>/dev/null && echo; } >&2\n      work_rc=\n      if [ \"$work_end\" = ended ]; then\n        work_rc=\" $(cat \"$1/rc\")\"\n        if [ -e \"$1/limit\" ]; then work_rc=\"$work_rc limit\"; fi\n      fi\n      echo \"keeper: $work_end$work_rc\" >&2\n      ;;\n  esac\n}\n\n# Seconds since boot: unlike the clock it is never set.\nwork_uptime() {\n  read -r work_up _ </proc/uptime\n  work_up=${work_up%%.*}\n}\n\n# work_state DIR: sets work_end to running, ended, cut or unstarted.\nwork_state() {\n  work_end=running\n  if [ -e \"$1/rc\" ]; then\n    work_end=ended\n  elif [ -e \"$1/pid\" ]; then\n    if work_alive \"$1\" || work_left; then return 0; fi\n    work_end=\"cut\"\n    if [ -e \"$1/rc\" ]; then work_end=ended; fi # it ended while we looked\n  elif [ -e \"$1/go\" ] || [ $(($(date +%s) - $(stat -c %Y \"$1\"))) -gt 60 ]; then\n    work_end=unstarted\n  fi # else about to start\n}\n\n# work_list WORK: a line for each folder: state, claim, code or `-`, run, step, folder.\nwork_list() {\n  for work_d in \"$1\"/*/; do\n    work_d=${work_d%/}\n    if [ -e \"$work_d/settled\" ] || ! work_about \"$work_d\"; then continue; fi\n    work_state \"$work_d\"\n    work_rc=-\n    if [ -e \"$work_d/rc\" ]; then read -r work_rc <\"$work_d/rc\"; fi\n    echo \"$work_end $work_claim $work_rc $work_run $work_step ${work_d##*/}\"\n  done\n}\n\n# work_of_lease WORK LOCK CLAIM: the folders whose work runs under that claim.\nwork_of_lease() {\n  for work_d in \"$1\"/*/; do\n    work_d=${work_d%/}\n    if ! work_about \"$work_d\" || [ \"$work_lock\" != \"$2\" ] || [ \"$work_claim\" != \"$3\" ]; then continue; fi\n    work_state \"$work_d\"\n    if [ \"$work_end\" = running ]; then echo \"${work_d##*/}\"; fi\n  done\n}\n\n# work_settle WORK FOLDER...: a person or a job has seen that these were cut.\nwork_settle() {\n  work_d=$1\n  shift\n  for work_f in \"$@\"; do : >\"$work_d/$work_f/settled\" || return 74; done\n}\n\n# work_prune WORK: forgets work that has ended, after a week or beyond the newest 200. Never what runs.\nwork_prune() {\n  {\n    find \"$1\" -mindepth 1 -maxdepth 1 -type d -mtime +7\n    # shellcheck disable=SC2012 # our own names: letters, digits, dot, dash\n    ls -1t \"$1\" | tail -n +201 | while read -r work_f; do echo \"$1/$work_f\"; done\n  } | while read -r work_f; do\n    work_state \"$work_f\"\n    if [ \"$work_end\" != running ]; then rm -rf \"$work_f\"; fi\n  done\n}\n",
	"lease": "# shellcheck shell=sh\n# Taking, renewing and releasing the lock whose claims fence.sh describes. Time is the host's clock, in seconds.\n# A record is one line: time of the claim, boot id, seconds after which it is stale, JSON of the holder.\n# shellcheck disable=SC2154 # lease_n is set by fence.sh\n\nlease_clock() {\n  lease_now=$(date +%s)\n  read -r lease_boot </proc/sys/kernel/random/boot_id\n}\n\nlease_number() {\n  case $1 in '' | *[!0-9]*) return 1 ;; esac\n}\n\n# lease_look DIR TTL: sets lease_n, lease_since, lease_at, lease_on, lease_ttl, lease_record, lease_age and lease_state:\n# free, held, stale, or ahead (renewed so far in the future that it would not run out by itself: the clock was set back).\nlease_look() {\n  lease_state=free\n  lease_top \"$1\"\n  if [ \"$lease_n\" -eq 0 ]; then return 0; fi\n  lease_since='' lease_on='' lease_ttl='' lease_record=''\n  read -r lease_since lease_on lease_ttl lease_record <\"$1/gen.$lease_n\"\n  if ! lease_number \"$lease_since\" || ! lease_number \"$lease_ttl\"; then # emptied by a power cut\n    lease_since=$(stat -c %Y \"$1/gen.$lease_n\") || return 1\n    lease_on=unknown lease_ttl=$2 lease_record=\n  fi\n  lease_at=$lease_since lease_beat='' lease_beat_on=''\n  if [ -e \"$1/beat.$lease_n\" ]; then read -r lease_beat lease_beat_on <\"$1/beat.$lease_n\"; fi\n  if lease_number \"$lease_beat\"; then lease_at=$lease_beat lease_on=$lease_beat_on; fi\n  lease_clock\n  lease_age=$((lease_now - lease_at)) lease_limit=$lease_ttl\n  # Its detached work died with the boot, but on shared storage another host has another boot id: two renewals missed.\n  if [ \"$lease_on\" != \"$lease_boot\" ] && [ \"$lease_on\" != unknown ]; then lease_limit=$((lease_ttl / 2)); fi\n  if [ -e \"$1/done.$lease_n\" ]; then return 0; fi\n  lease_state=held\n  if [ \"$lease_age\" -lt $((0 - lease_ttl)) ]; then lease_state=ahead; fi\n  if [ \"$lease_age\" -gt \"$lease_limit\" ]; then lease_state=stale; fi\n}\n\n# lease_say: one line about the newest claim: state, number, seconds since the claim, since the last renewal, ttl, boot,\n# record. Only `free 0` when there is none.\nlease_say() {\n  if [ \"$lease_n\" -eq 0 ]; then\n    echo \"free 0\"\n    return 0\n  fi\n  lease_same=other\n  if [ \"$lease_on\" = \"$lease_boot\" ]; then lease_same=this; fi\n  printf '%s %s %s %s %s %s %s\\n' \"$lease_state\" \"$lease_n\" \"$((lease_now - lease_since))\" \"$lease_age\" \\\n    \"$lease_ttl\" \"$lease_same\" \"$lease_record\"\n}\n\n# lease_read DIR TTL: looks and says.\nlease_read() {\n  lease_look \"$1\" \"$2\" || return 1\n  lease_say\n}\n\n# lease_claim DIR TTL RECORD: `claimed N`, with the line of lease_say about a stale claim that it takes over below it; or\n# only that line: who holds it.\nlease_claim() {\n  umask 077\n  mkdir -p \"$1\" || return 74\n  lease_look \"$1\" \"$2\" || return 1\n  case $lease_state in\n    held | ahead) lease_say ;;\n    *) lease_link \"$@\" ;;\n  esac\n}\n\n# lease_pass DIR TTL RECORD N: hands the lock on to the next process of its run: claims N+1 when N is the newest claim,\n# held or not, so that whoever still acts under N is fenced out. Answers as lease_claim.\nlease_pass() {\n  umask 077\n  lease_look \"$1\" \"$2\" || return 1\n  if [ \"$lease_n\" = \"$4\" ]; then lease_link \"$@\"; else lease_say; fi\n}\n\n# lease_link DIR TTL RECORD: makes the claim after the one that was looked at, unless somebody else does.\nlease_link() {\n  lease_before=\n  if [ \"$lease_state\" = stale ]; then lease_before=$(lease_say); fi\n  lease_clock\n  lease_m=$((lease_n + 1)) lease_t=$1/.claim.$$\n  rm -f \"$lease_t\" # left by a process of the same pid, it can be another name of that one's claim\n  # The record is whole and on disk before the link makes it visible.\n  if ! printf '%s %s %s %s\\n' \"$lease_now\" \"$lease_boot\" \"$2\" \"$3\" >\"$lease_t\" || ! sync \"$lease_t\"; then\n    rm -f \"$lease_t\"\n    return 74\n  fi\n  lease_won=\n  if ln \"$lease_t\" \"$1/gen.$lease_m\" 2>\"$lease_t.why\"; then lease_won=yes; fi\n  if [ -z \"$lease_won\" ] && [ ! -e \"$1/gen.$lease_m\" ]; then\n    cat \"$lease_t.why\" >&2\n    rm -f \"$lease_t\" \"$lease_t.why\"\n    return 74\n  fi\n  rm -f \"$lease_t\" \"$lease_t.why\"\n  lease_top \"$1\"\n  if [ -z \"$lease_won\" ] || [ \"$lease_n\" != \"$lease_m\" ]; then\n    lease_read \"$1\" \"$2\"\n    return\n  fi\n  # A power cut must not bring the number back: its holder may live on elsewhere.\n  sync \"$1\" || return 74\n  lease_sweep \"$1\"\n  echo \"claimed $lease_m\"\n  if [ \"$lease_before\" ]; then echo \"$lease_before\"; fi\n}\n\n# lease_renew DIR N: code 79 when claim N no longer holds the lock.\nlease_renew() {\n  lease_held \"$1\" \"$2\" || return 79\n  lease_clock\n  printf '%s %s\\n' \"$lease_now\" \"$lease_boot\" >\"$1/.beat.$$\" && mv \"$1/.beat.$$\" \"$1/beat.$2\" || return 74\n  lease_held \"$1\" \"$2\" || return 79\n}\n\n# lease_release DIR N WORK: `released`, `not-held`, or `working FOLDER...`: then the last of that work releases it.\nlease_release() {\n  if ! lease_held \"$1\" \"$2\"; then\n    echo not-held\n    return 0\n  fi\n  : >\"$1/bye.$2\" || return 74\n  lease_busy=$(work_of_lease \"$3\" \"$1\" \"$2\")\n  if [ \"$lease_busy\" ]; then\n    echo \"working $lease_busy\"\n    return 0\n  fi\n  : >\"$1/done.$2\" || return 74\n  echo released\n}\n\n# lease_force DIR N: ends claim N for its holder, who finds out at the next fence: `forced` or `not-held`.\nlease_force() {\n  if ! lease_held \"$1\" \"$2\"; then\n    echo not-held\n    return 0\n  fi\n  : >\"$1/done.$2\" || return 74\n  echo forced\n}\n\n# lease_sweep DIR: forgets claims far below the top; a claim near it may still be looked at.\nlease_sweep() {\n  for lease_f in \"$1\"/gen.*; do\n    lease_k=${lease_f##*.}\n    lease_number \"$lease_k\" || continue\n    [ \"$lease_k\" -lt $((lease_n - 20)) ] || continue\n    rm -f \"$1/beat.$lease_k\" \"$1/done.$lease_k\" \"$1/bye.$lease_k\" \"$lease_f\"\n  done\n}\n",
	"login-ends-work": "# What decides whether work that goes on after its login is killed: prints `user NAME`, `uid N`, `systemd yes|no`, and then,\n# where systemd runs, what logind says of KillUserProcesses, KillOnlyUsers and KillExcludeUsers, in the words of the\n# first that can tell it: busctl, loginctl, the configuration files. $1 = what to put before every path, nothing as a rule.\necho \"user $(id -un)\"\necho \"uid $(id -u)\"\n[ -d \"$1/run/systemd/system\" ] || { echo 'systemd no'; exit 0; }\necho 'systemd yes'\nfor one in KillUserProcesses KillOnlyUsers KillExcludeUsers; do\n  said=$(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \"$one\" 2>/dev/null) &&\n    echo \"$one=$said\"\ndone\nsaid=$(loginctl show-session --property KillUserProcesses --property KillOnlyUsers --property KillExcludeUsers 2>/dev/null) &&\n  printf '%s\\n' \"$said\" | sed 's/^/loginctl /'\nfor one in \"$1/etc/systemd/logind.conf\" \"$1\"/usr/lib/systemd/logind.conf.d/*.conf \"$1\"/run/systemd/logind.conf.d/*.conf \"$1\"/etc/systemd/logind.conf.d/*.conf; do\n  [ -r \"$one\" ] && sed -n 's/^[[:space:]]*\\(Kill[A-Za-z]*\\)[[:space:]]*=[[:space:]]*/file \\1=/p' \"$one\"\ndone\nexit 0\n",
	"openpgp-decrypt": "# Decrypts a file with its session key, which opens nothing else. $1 directory of backups, $2 the encrypted file, $3 the\n# result, $4 the bytes that it will have. Standard input: the session key. The encrypted file goes when it is decrypted or\n# cannot be, for S3 has it; it stays when only the room was missing, and need not come again.\nset -u\numask 077\nhome=$(mktemp -d) || exit 1\ntrap 'rm -rf \"$home\"' EXIT\ntrap 'exit 1' TERM INT HUP\ncd \"$1\" || exit 1\ncommand -v gpg >/dev/null 2>&1 || { echo \"error gpg is not installed\" >&2; exit 1; }\nread -r key\nrm -f \"$3\"\nfree=$(df -Pk . | sed -n '2s/^.* \\([0-9]\\{1,\\}\\) \\{1,\\}[0-9]\\{1,\\}% .*$/\\1/p')\nneed=$(($4 / 1024 + 1))\n[ \"${free:-0}\" -ge \"$need\" ] || { echo \"error $1 has ${free:-no known} KiB free, the decrypted file needs $need KiB\" >&2; exit 1; }\n# gpg repeats the session key among its messages: none of them is kept. Its exit code comes by 4, beside that of the writer.\ncodes=$({\n  {\n    gpg --homedir \"$home\" --batch --no-tty --quiet --override-session-key-fd 3 --output - --decrypt <\"$2\" 2>/dev/null 3<<KEY\n$key\nKEY\n    echo $? >&4\n  } | cat >\"$3\" || echo unwritten >&4\n} 4>&1)\nif [ \"$codes\" = 0 ]; then rm -f \"$2\"; exit 0; fi\nrm -f \"$3\"\ncase $codes in *unwritten*) echo \"error $3 cannot be written to its end: is the disk full?\" >&2; exit 1 ;; esac\nrm -f \"$2\"\necho \"error $2 cannot be decrypted: it was changed, or is not of this key\" >&2\nexit 1\n",
	"openpgp-encrypt": "# Encrypts a file for whoever has the private key. $1 directory of backups, $2 path in it, $3 path of the result. Standard\n# input: the public key. Prints `BYTES SHA256` of the result. With no path it only tries the key.\nset -eu\numask 077\nhome=$(mktemp -d)\ntrap 'rm -rf \"$home\"' EXIT\ntrap 'exit 1' TERM INT HUP\ncommand -v gpg >/dev/null 2>&1 || { echo \"error gpg is not installed\" >&2; exit 1; }\ncat >\"$home/key\"\nencrypt() {\n  gpg --homedir \"$home\" --batch --no-tty --quiet --trust-model always --compress-algo none --recipient-file \"$home/key\" --output - --encrypt\n}\nif [ $# -eq 0 ]; then encrypt </dev/null >/dev/null; exit 0; fi\ncd \"$1\"\nfree=$(df -Pk . | sed -n '2s/^.* \\([0-9]\\{1,\\}\\) \\{1,\\}[0-9]\\{1,\\}% .*$/\\1/p')\n[ \"${free:-0}\" -gt \"$(($(wc -c <\"$2\") / 1024 + 1024))\" ] || { echo \"error $1 has no room for the encrypted copy of $2\" >&2; exit 1; }\nencrypt <\"$2\" >\"$3\"\nsum=$(sha256sum <\"$3\")\necho \"$(($(wc -c <\"$3\"))) ${sum%% *}\"\n",
	"openpgp-follow": "# Encrypts a file while it is still being written. $1 directory of backups, $2 path in it (`PATH.written` says that it is\n# whole), $3 the name that it gets when it is proven, $4 path of the result, which grows as `PATH.growing`, $5 KiB that the result may take, $6 seconds without growth\n# after which it is given up. Standard input: the public key. Prints `BYTES SHA256 SHA256-OF-THE-FILE`.\nset -eu\numask 077\nhome=$(mktemp -d)\nout=$4\ntrap 'rm -rf \"$home\"; rm -f \"$out.growing\"' EXIT\ntrap 'exit 1' TERM INT HUP\ncat >\"$home/key\"\ncd \"$1\"\nquiet=0\nuntil [ -e \"$2\" ]; do\n  if [ -e \"$3\" ] || [ \"$quiet\" -ge $(($6 * 5)) ]; then echo \"error $2 was not there\" >&2; exit 1; fi\n  quiet=$((quiet + 1))\n  sleep 0.2\ndone\nfree=$(df -Pk . | sed -n '2s/^.* \\([0-9]\\{1,\\}\\) \\{1,\\}[0-9]\\{1,\\}% .*$/\\1/p')\n[ \"${free:-0}\" -gt \"$5\" ] || { echo \"error $1 has no room for the dump and its encrypted copy at once\" >&2; exit 1; }\nexec 4<\"$2\"\n\n# What is there, and then what has come since, until the file has its name.\nfeed() {\n  quiet=0 had=\n  while :; do\n    # The name is looked at before the bytes: what comes before it is all.\n    if [ -e \"$2\" ] || [ -e \"$1.written\" ]; then whole=yes; else whole=; fi\n    cat <&4\n    if [ -n \"$whole\" ]; then : >\"$home/whole\"; return 0; fi\n    [ -e \"$1\" ] || [ -e \"$2\" ] || return 0\n    have=$(stat -L -c %s \"/proc/self/fd/4\")\n    if [ \"$have\" != \"$had\" ]; then quiet=0 had=$have; fi\n    quiet=$((quiet + 1))\n    [ \"$quiet\" -le $(($3 * 5)) ] || return 0\n    sleep 0.2\n  done\n}\n\nencrypt() {\n  code=0\n  gpg --homedir \"$home\" --batch --no-tty --quiet --trust-model always --compress-algo none --recipient-file \"$home/key\" \\\n    --output - --encrypt || code=$?\n  echo \"$code\" >\"$home/code\"\n}\n\nmkfifo \"$home/plain\" \"$home/coded\"\nsha256sum <\"$home/plain\" >\"$home/plain.sum\" &\nplain=$!\nsha256sum <\"$home/coded\" >\"$home/coded.sum\" &\ncoded=$!\nfeed \"$2\" \"$3\" \"$6\" | tee \"$home/plain\" | encrypt | tee \"$home/coded\" >\"$out.growing\"\nwait \"$plain\"\nwait \"$coded\"\nread -r code <\"$home/code\"\n[ \"$code\" = 0 ] || { echo \"error gpg ended with $code\" >&2; exit 1; }\n[ -e \"$home/whole\" ] || { echo \"error $2 did not come to its end\" >&2; exit 1; }\nmv \"$out.growing\" \"$out\"\nread -r plain _ <\"$home/plain.sum\"\nread -r coded _ <\"$home/coded.sum\"\necho \"$(($(wc -c <\"$out\"))) $coded $plain\"\n",
	"openvidu-probe": "# Asks an OpenVidu 2 server for its health and its sessions. $1 = base URL, $2 = container id, $3 = seconds to wait.\n# Prints two lines, \"health BODY\" and \"sessions BODY\" (or \"sessions\" alone when they cannot be read), each body on one line.\n# 10: the host has no curl; 11: no answer to the health path, the reason is on standard error.\nbase=${1%/} container=$2 wait=$3\ncommand -v curl >/dev/null 2>&1 || exit 10\nbody=$(curl --silent --show-error --globoff --max-time \"$wait\" -- \"$base/openvidu/api/health\") || exit 11\nprintf 'health %s\\n' \"$(printf '%s' \"$body\" | tr '\\r\\n' '  ')\"\nsecret=$(docker inspect --type container --format '{{range .Config.Env}}{{println .}}{{end}}' \"$container\" | sed -n 's/^OPENVIDU_SECRET=//p')\n# The secret goes to curl on standard input: an argument could be read by every user of the host.\nbody=$(printf '%s' \"$secret\" | sed -e 's/[\\\\\"]/\\\\&/g' -e 's/^/user = \"OPENVIDUAPP:/' -e 's/$/\"/' |\n  curl --silent --fail --globoff --max-time \"$wait\" --config - -- \"$base/openvidu/api/sessions\") || body=\nprintf 'sessions %s\\n' \"$(printf '%s' \"$body\" | tr '\\r\\n' '  ')\"\n",
	"postgres-apply-inside": "# shellcheck shell=sh\n# Runs SQL, read from standard input, as one transaction or statement by statement as it says itself. $1 nonce, $2 connection string.\nsql -d \"$2\" || exit\nprintf '%s end 0\\n' \"$1\"\n",
	"postgres-ask-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Answers the same SQL from each database.\n# $1 nonce, $2 limit of one statement in seconds, $3 `own-path` to look names up as the database says, else `pinned`,\n# $4 SQL, the rest connection strings (empty: the image's own database).\nnonce=$1 limit=$2 text=$4\n[ \"$3\" != own-path ] || session_options=$own_path_options\nshift 4\n# A lock that is waited for has to be told as that, not as a slow statement.\nexport PGOPTIONS=\"$session_options -c statement_timeout=${limit}s -c lock_timeout=$((limit * 1000 - 500))ms\"\nat=0\nfor database do\n  rows=$(printf '%s\\n' \"$text\" | sql -d \"$database\") || exit\n  [ -z \"$rows\" ] || printf '%s\\n' \"$rows\" | sed \"s/^/$nonce $at /\"\n  at=$((at + 1))\ndone\nprintf '%s end 0\\n' \"$nonce\"\n",
	"postgres-beside-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Tells, in a container beside the server's, whether who answers over the network is that server, and the file is there.\n# $1 nonce, $2 length of the file in bytes.\n[ \"$(wc -c </infra-actions/file)\" -eq \"$2\" ] || { echo \"the file is another one there\" >&2; exit 1; }\nserver=$(which_server) || exit\n[ \"$server\" = \"$place_server\" ] || { echo \"another server answers there: $server, not $place_server\" >&2; exit 1; }\nprintf '%s end 0\\n' \"$1\"\n",
	"postgres-check-globals-inside": "# shellcheck shell=sh\n# Reads stored globals from standard input: whole when the line is there that pg_dumpall writes last. $1 nonce.\nif [ \"$(grep -c '^-- PostgreSQL database cluster dump complete')\" != 1 ]; then\n  echo 'the stored globals are not whole: their last line is missing' >&2\n  exit 1\nfi\nprintf '%s end 0\\n' \"$1\"\n",
	"postgres-check-inside": "# shellcheck shell=sh\n# Decodes a stored dump, read from standard input, to its last byte, and says what data it holds: the table of each\n# archived one, the number of rows of each in SQL. $1 nonce, $2 how it is stored: `directory` or `sql`; `archive` or `zst`\n# only decode, for their tables stand in `archive-head` and `zst-head`, of which only the head is read.\nnonce=$1 stored=$2\ndirectory=$(mktemp -d) || exit 1\ntrap 'rm -rf \"$directory\"' EXIT\nbad() { echo 'the stored dump does not decode to its end' >&2; exit 1; }\n# A reader takes everything, so that nobody upstream fails for want of one.\ntaking_all() { \"$@\"; code=$?; cat >/dev/null; return \"$code\"; }\nlist_tables() { sed -n \"s/^[0-9]*; [0-9]* \\([0-9]*\\) TABLE DATA .*/$nonce data \\1/p\" \"$1\"; }\n\ncheck_zst() {\n  mkfifo \"$directory/raw\" || exit 1\n  taking_all pg_restore -f /dev/null <\"$directory/raw\" &\n  decode=$!\n  zstd -dcq >\"$directory/raw\"\n  unpacked=$?\n  wait \"$decode\"; decoded=$?\n  [ \"$unpacked $decoded\" = '0 0' ] || bad\n}\n\ncheck_directory() {\n  mkdir \"$directory/dump\" || exit\n  taking_all tar -xf - -C \"$directory/dump\" || bad\n  # pg_restore takes a file without a byte for an empty table; pg_dump writes none.\n  [ -z \"$(find \"$directory/dump\" -type f -size 0)\" ] || bad\n  pg_restore -f /dev/null \"$directory/dump\" || bad\n  pg_restore -l \"$directory/dump\" >\"$directory/list\" || bad\n  list_tables \"$directory/list\"\n}\n\n# A row is a line; a COPY begins behind the comment that pg_dump writes before a table's data, or it is part of a text.\ncheck_sql() {\n  mkfifo \"$directory/raw\" || exit 1\n  awk -v mark=\"$nonce data\" '\n    rows { if ($0 == \"\\\\.\") { print mark, n; rows = 0 } else n++; next }\n    /^-- Data for Name: .*; Type: TABLE DATA;/ { expected = 1; next }\n    expected && /^COPY / { copy = 1 }\n    copy && / FROM stdin;$/ { rows = 1; n = expected = copy = 0; next }\n    $0 == \"-- PostgreSQL database dump complete\" { complete = 1 }\n    END { exit complete && !rows ? 0 : 1 }' <\"$directory/raw\" &\n  count=$!\n  gzip -dcq >\"$directory/raw\"\n  unpacked=$?\n  wait \"$count\"; counted=$?\n  [ \"$unpacked $counted\" = '0 0' ] || bad\n}\n\ncase $stored in\narchive) taking_all pg_restore -f /dev/null || bad ;;\nzst) check_zst ;;\narchive-head) pg_restore -l >\"$directory/list\" && list_tables \"$directory/list\" ;;\nzst-head) zstd -dcq 2>/dev/null | pg_restore -l >\"$directory/list\" && list_tables \"$directory/list\" ;;\ndirectory) check_directory ;;\nsql) check_sql ;;\nesac || exit\nprintf '%s end 0\\n' \"$nonce\"\n",
	"postgres-controldata": "#!/bin/sh\n# Prints pg_controldata of a stopped container's data directory, from a throw-away container without network that sees its volumes read-only.\n# $1 container, $2 image id.\nset -u\ndirectory=$(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' \"$1\" | sed -n 's/^PGDATA=//p')\ndocker run --rm --pull never --network none --user 0:0 --volumes-from \"$1:ro\" --env LC_ALL=C \\\n  --entrypoint pg_controldata \"$2\" \"${directory:-/var/lib/postgresql/data}\"\n",
	"postgres-dump-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Dumps one database to standard output and counts its rows in the same snapshot, which is held open until both are done.\n# Lines that begin with the nonce, on standard error, are ours; the last of them carries our exit code.\n# $1 nonce, $2 connection string, $3 application name of this run, $4 format, $5 milliseconds to wait for a lock,\n# $6 SQL that counts, $7 SQL that names who holds locks.\nnonce=$1 database=$2 format=$4 count_sql=$6 blockers_sql=$7\nPGAPPNAME=$3\ndump='' count='' packer='' holder=''\n# What a killed dump left: there is never more than one at a time.\nrm -rf \"${TMPDIR:-/tmp}\"/infra-actions-dump.*\ndirectory=$(mktemp -d \"${TMPDIR:-/tmp}/infra-actions-dump.XXXXXX\") || exit 1\n\nfinish() {\n  code=$?\n  trap - EXIT\n  trap '' TERM INT HUP\n  if [ \"$code\" != 0 ]; then\n    printf '%s stopping\\n' \"$nonce\" >&2\n    for pid in $dump $packer; do kill \"$pid\" 2>/dev/null; done\n    end_sessions \"$PGAPPNAME\"\n  fi\n  exec 3>&-\n  for pid in $dump $packer $count $holder; do wait \"$pid\" 2>/dev/null; done\n  unguard\n  rm -rf \"$directory\"\n  printf '%s end %s\\n' \"$nonce\" \"$code\" >&2\n  exit \"$code\"\n}\ntrap finish EXIT\ntrap 'exit 143' TERM INT HUP\n# A psql that could not connect must be an error here, not the death of this shell.\ntrap : PIPE\nguard\n\nmkfifo \"$directory/in\" \"$directory/out\" \"$directory/raw\" || exit 1\nsql -d \"$database\" <\"$directory/in\" >\"$directory/out\" &\nholder=$!\nexec 3>\"$directory/in\" 4<\"$directory/out\"\ncat >&3 <<'SQL'\nbegin isolation level repeatable read read only;\nselect pg_export_snapshot() || ' ' || current_setting('zero_damaged_pages') || ' ' || current_setting('ignore_checksum_failure');\nSQL\nread -r snapshot zero ignore <&4 || exit 1\nif [ \"$zero $ignore\" != 'off off' ]; then\n  echo 'zero_damaged_pages or ignore_checksum_failure is on: rows of damaged pages would be left out' >&2\n  exit 1\nfi\n\nprintf '%s\\n' 'begin isolation level repeatable read read only;' \"set transaction snapshot '$snapshot';\" \\\n  \"$count_sql\" 'commit;' >\"$directory/count.sql\"\nPGOPTIONS=\"$session_options -c lock_timeout=$5\" sql -d \"$database\" -f \"$directory/count.sql\" >\"$directory/counts\" &\ncount=$!\nset -- -w --snapshot=\"$snapshot\" --lock-wait-timeout=\"$5\" -d \"$database\"\ninto_directory() {\n  exec pg_dump -Fd -j \"$(table_jobs)\" -f \"$directory/dump\" \"$@\"\n}\ncase $format in\nzstd) pg_dump -Fc --compress=zstd:1 \"$@\" & ;;\ngzip) pg_dump -Fc -Z1 \"$@\" & ;;\n# A tablespace that the target lacks would stop SQL half way.\nplain) pg_dump -Fp -Z1 --no-tablespaces \"$@\" & ;;\ndirectory-zstd) into_directory --compress=zstd:1 \"$@\" & ;;\ndirectory-gzip) into_directory -Z1 \"$@\" & ;;\nzstd-pipe)\n  zstd -q -1 -T0 -c <\"$directory/raw\" &\n  packer=$!\n  pg_dump -Fc -Z0 \"$@\" >\"$directory/raw\" &\n  ;;\n*) exit 64 ;;\nesac\ndump=$!\nwait \"$dump\"\ndumped=$?\n[ \"$dumped\" -le 128 ] || echo \"pg_dump was ended by signal $((dumped - 128))\" >&2\nif [ \"$dumped\" != 0 ]; then\n  printf '%s\\n' \"$blockers_sql\" | PGAPPNAME=infra-actions-blockers sql -d \"$database\" | sed \"s/^/$nonce blocker /\" >&2\n  exit 1\nfi\n# A directory is whole only now.\ncase $format in directory-*)\n  tar -cf - -C \"$directory/dump\" . &\n  packer=$!\n  ;;\nesac\n[ -z \"$packer\" ] || wait \"$packer\" || exit\nwait \"$count\" || exit\nprintf '%s\\n' 'commit;' >&3\nexec 3>&-\nwait \"$holder\" || exit\nsed \"s/^/$nonce fact /\" \"$directory/counts\" >&2\n",
	"postgres-dump": "#!/bin/sh\n# Runs a dump by the programs of a Postgres image, stores it, proves the stored bytes, and only then gives the file its name.\n# $1 container of the server, $2 its image to run beside it or nothing, $3 and $4 scripts of `place_open`, $5 script that\n# dumps, $6 script that checks, $7 nonce, $8 file, $9 how it is stored; the rest goes to $5, behind the nonce.\n# shellcheck disable=SC2154 # what begins with place_, and login, is set by `place_open`\nset -u\numask 077\ncontainer=$1 image=$2 login_script=$3 whole_script=$4 dump=$5 check=$6 nonce=$7 file=$8 packing=$9\nshift 9\npartial=$file.partial folder=$(dirname \"$file\") work='' pids='' ticker=''\n\nleave() {\n  code=$?\n  trap - EXIT\n  trap : TERM INT HUP\n  # The end of its input tells the script inside to stop; it needs its output read until it has.\n  exec 9>&-\n  [ -z \"$ticker\" ] || kill \"$ticker\" 2>/dev/null\n  if [ \"$code\" != 0 ]; then\n    for pid in $pids; do wait \"$pid\" 2>/dev/null; done\n    rm -f \"$partial\" \"$partial.written\"\n  fi\n  place_close\n  [ -z \"$work\" ] || rm -rf \"$work\"\n  exit \"$code\"\n}\ntrap leave EXIT\ntrap 'exit 143' TERM INT HUP\ndie() { printf '%s\\n' \"$1\" >&2; exit 1; }\n\nmkdir -p \"$folder\" && chmod 700 \"$folder\" || exit\n[ ! -e \"$file\" ] || die \"$file is there already\"\nwork=$(mktemp -d) && mkfifo \"$work/alive\" \"$work/data\" \"$work/sum\" \"$work/store\" && : >\"$partial\" || exit\nplace_open \"$container\" \"$image\" \"$nonce\" \"$login_script\" \"$whole_script\" \"$partial\" \"$work/data\"\nsha256 <\"$work/sum\" >\"$work/sum.is\" 8>&- & sum=$!\ncat <\"$work/store\" >\"$partial\" 8>&- & store=$!\ntee \"$work/sum\" <\"$work/data\" >\"$work/store\" 8>&- & copy=$!\nthere \"$place_login$place_to$dump\" sh \"$nonce\" \"$@\" <\"$work/alive\" >\"$work/data\" 2>\"$work/messages\" 8>&- & inside=$!\npids=\"$inside $copy $store $sum\"\n# Before 9 is opened, which it must not hold open. It ends when we are gone; the sleeping one that it leaves behind holds\n# nothing of ours.\nwhile sleep 5 >/dev/null 2>&1 && kill -0 \"$$\" 2>/dev/null; do\n  [ ! -e \"$partial\" ] || printf '%s progress %s\\n' \"$nonce\" \"$(($(wc -c <\"$partial\")))\"\ndone 8>&- &\nticker=$!\nexec 9>\"$work/alive\"\n[ -z \"$login\" ] || printf '%s\\n' \"$login\" >&9\ncodes=\nfor pid in $pids; do wait \"$pid\"; codes=\"$codes $?\"; done\nexec 9>&-\nkill \"$ticker\" 2>/dev/null\npids='' ticker=''\ngrep -v -E \"^$nonce (end|fact) \" \"$work/messages\" >&2\n[ \"$codes\" = ' 0 0 0 0' ] || die \"the dump was not stored: exit codes$codes of docker exec, tee, cat, SHA-256\"\n# docker exec ends with 0 when it is told to stop: only this line says that the dump came to its end.\ngrep -q \"^$nonce end 0$\" \"$work/messages\" || die 'the dump broke off: its script inside the container did not end'\nbytes=$(($(wc -c <\"$partial\")))\nread -r sha256 _ <\"$work/sum.is\"\n[ \"$bytes\" -gt 0 ] || die 'the dump is empty'\n\n# Whoever sends it on meanwhile need not wait for its proof.\n: >\"$partial.written\" || exit\n# To the disk while it is proven.\nsync \"$partial\" 8>&- & flush=$!\nsha256 <\"$partial\" >\"$work/back.is\" 8>&- & sum=$!\n# Beside, it reads the file itself.\ninput=$partial\n[ -z \"$place_beside\" ] || input=/dev/null\nprove() { there \"$place_from$check\" sh \"$nonce\" \"$1\" <\"$input\" >>\"$work/proof\" 8>&-; }\nprove \"$packing\"\ncodes=\" $?\"\nwait \"$sum\"; codes=\"$codes $?\"\nwait \"$flush\" || exit\n[ \"$codes\" = ' 0 0' ] || die \"the stored dump is not good: exit codes$codes of docker exec, SHA-256\"\nends=1\ncase $packing in archive | zst)\n  prove \"$packing-head\" || die 'the table of contents of the stored dump cannot be read'\n  ends=2\n  ;;\nesac\n[ \"$(grep -c \"^$nonce end 0$\" \"$work/proof\")\" = \"$ends\" ] || die 'the check of the stored dump broke off'\nread -r again _ <\"$work/back.is\"\n[ \"$again\" = \"$sha256\" ] || die \"the stored bytes are not those that were dumped: SHA-256 $again, not $sha256\"\nsed -n \"s/^$nonce data //p\" \"$work/proof\" | LC_ALL=C sort >\"$work/held\"\nif [ \"$packing\" = sql ]; then\n  # Of a table of an extension nobody has counted which rows are dumped; of all others each must be there with all its rows.\n  sed -n \"s/^$nonce fact table .*\\\"rows\\\" : \\([0-9]*\\).*/\\1/p\" \"$work/messages\" | LC_ALL=C sort >\"$work/counted\"\n  members=$(grep -c \"^$nonce fact member \" \"$work/messages\")\n  [ \"$(LC_ALL=C comm -13 \"$work/counted\" \"$work/held\" | wc -l)\" -eq \"$members\" ] &&\n    [ -z \"$(LC_ALL=C comm -23 \"$work/counted\" \"$work/held\")\" ]\nelse\n  sed -n -E \"s/^$nonce fact (table|member) ([0-9]*).*/\\2/p\" \"$work/messages\" | LC_ALL=C sort >\"$work/counted\"\n  cmp -s \"$work/counted\" \"$work/held\"\nfi || die \"the dump does not hold what was counted: data of $(wc -l <\"$work/held\") tables, $(wc -l <\"$work/counted\") were counted\"\n\nmv \"$partial\" \"$file\" && rm -f \"$partial.written\" && sync \"$folder\" || exit\ngrep \"^$nonce fact \" \"$work/messages\"\nprintf '%s bytes %s\\n%s sha256 %s\\n%s end 0\\n' \"$nonce\" \"$bytes\" \"$nonce\" \"$sha256\" \"$nonce\"\n",
	"postgres-foreign-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Runs an SQL script, read from standard input until its marked end, in a new database beside the live one.\n# $1 nonce, $2 application name of this run, $3 SQL that makes the database, $4 its connection string, $5 role that runs\n# the script (empty: ourselves), $6 SQL that counts, $7 and $8 first and last line to run, the rest lines `WHAT FROM TO`:\n# `out` to leave out, `copy` of a COPY whose rows follow, `end` of a statement that ends there.\nnonce=$1 create_sql=$3 database=$4 role=$5 count_sql=$6 first=$7 last=$8\nPGAPPNAME=$2\nshift 8\ndirectory=$(mktemp -d) || exit 1\nfinish() {\n  code=$?\n  trap - EXIT\n  [ \"$code\" = 0 ] || printf '%s stopping\\n' \"$nonce\" >&2\n  [ \"$code\" = 0 ] || end_sessions \"$PGAPPNAME\"\n  rm -rf \"$directory\"\n  printf '%s end %s\\n' \"$nonce\" \"$code\"\n  exit \"$code\"\n}\ntrap finish EXIT\ntrap 'exit 143' TERM INT HUP\nprintf '%s\\n' \"$@\" >\"$directory/plan\"\nrandom() { od -An -N24 -tx1 /dev/urandom | tr -d ' \\n'; }\nsecret=$(random)\n{ printf '%s\\n' \"$create_sql\"; [ -z \"$role\" ] || printf \"alter role \\\"%s\\\" login password '%s';\\n\" \"$role\" \"$secret\"; } >\"$directory/create\"\nsql -d template1 -f \"$directory/create\" || exit\n# As ourselves it runs as it is. A role that is to be held to its rights gets no script: psql would run `\\!`, and `\\connect`\n# as anybody whom the socket trusts. Its SQL is a constant, in quotes that nobody can guess, which psql sends to the server as\n# it is (`\\gexec`); only rows stand open, behind a COPY that can be nothing else. No other line is `\\.`, which ends rows.\n# That holds whatever the lines of the plan say.\ntag=''\n[ -z \"$role\" ] || tag=\"\\$ia$(random)\\$\"\ntr -d '\\000' | awk -v first=\"$first\" -v last=\"$last\" -v tag=\"$tag\" '\n  function begin() { if (tag != \"\" && !begun) { print \"select \" tag; begun = 1 } }\n  function finish() { if (begun) { print tag \" \\\\gexec\"; begun = 0 } }\n  function is_copy(text) {\n    name = \"([^][\\\\\\\\\\\"'\"'\"'(),;.:/ \\t\\r\\n-]+|\\\"([^\\\"]|\\\"\\\")+\\\")\"\n    return text ~ (\"^[Cc][Oo][Pp][Yy] \" name \"([.]\" name \")? *([(](\" name \"(, ?\" name \")*)?[)])? *[Ff][Rr][Oo][Mm] [Ss][Tt][Dd][Ii][Nn];\\r?\\n$\")\n  }\n  function put(line) {\n    begin()\n    if (line == \"\\\\.\" || line == \"\\\\.\\r\") line = quoted_backslash substr(line, 2)\n    print line\n  }\n  BEGIN { quoted_backslash = tag \" operator(pg_catalog.||) pg_catalog.chr(92) operator(pg_catalog.||) \" tag }\n  NR == FNR {\n    if ($1 == \"out\") { from[++count] = $2; to[count] = $3 }\n    if ($1 == \"copy\") copy_end[$2] = $3\n    if ($1 == \"end\") ends[$2] = 1\n    next\n  }\n  FNR < first || FNR > last { next }\n  rows { print; if ($0 == \"\\\\.\" || $0 == \"\\\\.\\r\") rows = 0; next }\n  { while (at < count && FNR > to[at + 1]) at++ }\n  at < count && FNR >= from[at + 1] { next }\n  tag == \"\" { print; next }\n  FNR == 1 { sub(/^\\357\\273\\277/, \"\") }\n  FNR in copy_end { finish(); copying = copy_end[FNR]; text = \"\" }\n  { put($0) }\n  copying { text = text $0 \"\\n\" }\n  copying && FNR >= copying { rows = is_copy(text); copying = 0; finish() }\n  FNR in ends { finish() }\n  END {\n    finish()\n    if (rows) { print \"the rows of its last table do not end\" | \"cat >&2\"; exit 1 }\n  }' \"$directory/plan\" - >\"$directory/script\" || exit\n(\n  [ -z \"$role\" ] || export PGUSER=\"$role\" PGPASSWORD=\"$secret\"\n  # What the script sets itself stands: only what would stop it half way is ours.\n  export PGOPTIONS='-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c client_min_messages=warning -c standard_conforming_strings=on'\n  [ -n \"$role\" ] || PGOPTIONS=$own_path_options\n  sql -d \"$database\" -f \"$directory/script\" >/dev/null\n) || exit\n[ -z \"$role\" ] || printf 'alter role \"%s\" nologin password null;\\n' \"$role\" | sql -d template1 || exit\nsql -d \"$database\" -c 'analyze' || exit\nprintf '%s\\n' \"$count_sql\" >\"$directory/count.sql\"\nsql -d \"$database\" -f \"$directory/count.sql\" >\"$directory/counts\" || exit\nsed \"s/^/$nonce fact /\" \"$directory/counts\"\n",
	"postgres-foreign": "#!/bin/sh\n# Feeds a foreign dump, turned into a script, to the script inside the container that runs it.\n# $1 container, $2 script that reads it, $3 script that runs it, $4 nonce, $5 path, $6 its kind; the rest goes to $3.\nset -u\numask 077\ncontainer=$1 read=$2 run=$3 nonce=$4 path=$5 kind=$6\nshift 6\nwork=$(mktemp -d) || exit\ntrap 'rm -rf \"$work\"' EXIT\ntrap 'exit 143' TERM INT HUP\nfeed() {\n  if [ \"$kind\" = directory ]; then tar -cf - -C \"$path\" .; else cat \"$path\"; fi |\n    docker exec -i \"$container\" sh -c \"$read\" sh \"$nonce\" \"$kind\" 2>\"$work/read\"\n}\nfeed | docker exec -i \"$container\" sh -c \"$run\" sh \"$nonce\" \"$@\"\ncode=$?\ngrep -v \"^$nonce end 0$\" \"$work/read\" >&2\ngrep -q \"^$nonce end 0$\" \"$work/read\" || { echo \"$path could not be read to its end\" >&2; exit 1; }\nexit \"$code\"\n",
	"postgres-format-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Says how this container can pack a dump. $1 nonce.\nformat=gzip\n# pg_dump looks whether it knows the method before it looks for a server.\nif [ \"$server_major\" -ge 16 ] && ! pg_dump -w -Fc --compress=zstd:1 -h /nonexistent 2>&1 | grep -q -i compress; then\n  format=zstd\nelif command -v zstd >/dev/null; then\n  format=zstd-pipe\nfi\nprintf '%s format %s\\n' \"$1\" \"$format\"\n",
	"postgres-globals-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Dumps roles, their password hashes and memberships, and tablespaces, to standard output. $1 nonce, $2 milliseconds to wait for a lock.\nguarded \"$1\" pg_dumpall -w --globals-only --lock-wait-timeout=\"$2\" -l template1\n",
	"postgres-grown-inside": "# shellcheck shell=sh\n# How large a database is by now. $1 its name.\nsql -d template1 -v name=\"$1\" <<'SQL'\nselect pg_database_size(:'name');\nSQL\n",
	"postgres-image-inside": "# Says what a Postgres image is: its version, where it keeps its data, which extensions it brings. Runs in a throw-away container.\nprintf 'version %s\\n' \"$(postgres --version)\"\nprintf 'directory %s\\n' \"${PGDATA:-/var/lib/postgresql/data}\"\nfind / -xdev -path '*/extension/*.control' 2>/dev/null | sed -n 's:.*/\\([^/]*\\)\\.control$:extension \\1:p'\nprintf 'end 0\\n'\n",
	"postgres-login-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Tells how to log in over the network, for a container beside: user, password and database, in octal for they may hold\n# anything, and which server answers here.\noctal() { printf '%s\\n' \"$(printf '%s' \"$1\" | od -An -v -to1 | tr -d '\\n' | sed 's/ /\\\\0/g')\"; }\noctal \"$PGUSER\"\noctal \"$PGPASSWORD\"\noctal \"$PGDATABASE\"\nwhich_server\n",
	"postgres-place": "# shellcheck shell=sh disable=SC2034,SC2154 # what is set here is for the scripts that follow, which set $work\n# Where the programs of a Postgres image run. As a rule beside the server, in a throw-away container of its image and in\n# its network, which reads a file of the host and writes to a pipe of the host: the pipes of `docker exec` take up to half\n# of a dump's time. Where that cannot be, inside the server's container, through those pipes.\n#\n# After `place_open` scripts run there by `there SCRIPT ARG...`, with these before them. All that is started keeps descriptor 8\n# closed (8>&-): as long as we alone hold it open, the container beside ends when we do.\n#   $place_login   takes $login, a line for each thing, from standard input, to log in\n#   $place_from    makes the file the standard input         $place_to    makes the pipe the standard output\n# They are empty inside the server's own container: standard input and output are those of `there` then.\n\nthere() { docker exec -i \"$place\" sh -c \"$@\"; }\n\n# place_open CONTAINER IMAGE NONCE LOGIN WHOLE FILE PIPE: LOGIN is the script that tells how to log in, WHOLE the one that\n# tells whether all is right there. An empty IMAGE: inside the server's container. $place_beside is empty then.\nplace_open() {\n  place=$1 login='' place_login='' place_from='' place_to='' place_beside='' place_pid=''\n  [ -n \"$2\" ] || return 0\n  if place_start \"$@\" >/dev/null 2>\"$work/place-said\"; then place_beside=1 && return; fi\n  place_close\n  place=$1 login='' place_login='' place_from='' place_to=''\n  printf '%s inside %s\\n' \"$3\" \"$(grep -m 1 . \"$work/place-said\")\"\n}\n\nplace_start() {\n  login=$(docker exec \"$1\" sh -c \"$4\") || return\n  # It ends by itself when its input does, so what is left never ran, or lost the daemon that held its input. One for another\n  # server may be just being made, so that has a minute. What cannot be removed is not in our way.\n  place_left=$(docker ps --all --no-trunc --format '{{.ID}} {{.State}} {{.Label \"infra-actions.beside\"}} {{.RunningFor}}') || return\n  place_left=$(printf '%s\\n' \"$place_left\" | awk -v server=\"$1\" '\n    { state[$1] = $2; if ($3 ~ /^[0-9a-f]+$/ && length($3) == 64) of[$1] = $3; young[$1] = / seconds? ago$/ }\n    END { for (id in of) if (of[id] == server || !(of[id] in state) || !young[id] && state[id] ~ /^(created|exited|dead)$/) print id }')\n  # shellcheck disable=SC2086 # a list of ids\n  [ -z \"$place_left\" ] || docker rm --force --volumes $place_left || :\n  # Whoever may read the file there is who may read it here, and nobody else.\n  place_user=$(stat -c %u:%g \"$6\") && chown \"$place_user\" \"$7\" && mkfifo \"$work/place-open\" \"$work/place-ready\" || return\n  # Compose's labels are emptied: an image that compose has built hands its own on.\n  docker run --rm -i --name \"infra-actions-$3\" --network \"container:$1\" --pull never --no-healthcheck --log-driver none \\\n    --cap-drop ALL --security-opt no-new-privileges --user \"$place_user\" --workdir / --oom-score-adj 500 \\\n    --label \"infra-actions.beside=$1\" --label com.docker.compose.project= --label com.docker.compose.service= \\\n    --label com.docker.compose.oneoff= --mount \"type=bind,source=$6,target=/infra-actions/file,readonly\" \\\n    --mount \"type=bind,source=$7,target=/infra-actions/pipe\" --entrypoint sh \"$2\" -c \"$place_keep\" \\\n    <\"$work/place-open\" >\"$work/place-ready\" &\n  place_pid=$!\n  exec 8>\"$work/place-open\"\n  timeout 60 head -n 1 \"$work/place-ready\" 8>&- | grep -q . || return\n  place=infra-actions-$3\n  # shellcheck disable=SC2016 # expanded there\n  place_login='IFS= read -r user && IFS= read -r password && IFS= read -r database && IFS= read -r place_server || exit\nPOSTGRES_USER=$(printf %b \"$user\") POSTGRES_PASSWORD=$(printf %b \"$password\") POSTGRES_DB=$(printf %b \"$database\")\nunset POSTGRES_USER_FILE POSTGRES_PASSWORD_FILE POSTGRES_DB_FILE\n'\n  place_from='exec </infra-actions/file\n' place_to='exec >/infra-actions/pipe\n'\n  printf '%s\\n' \"$login\" | timeout 30 docker exec -i \"$place\" sh -c \"$place_login$place_to$5\" sh \"$3\" \"$(wc -c <\"$6\")\" \\\n    >\"$7\" 8>&- &\n  place_whole=$(timeout 30 cat \"$7\" 8>&-)\n  wait \"$!\" && [ \"$place_whole\" = \"$3 end 0\" ]\n}\n\n# What that container does: nothing until its input ends, as it does whatever becomes of us. Then it ends what still runs\n# there, and waits until that has ended its sessions.\n# shellcheck disable=SC2016 # expanded there\nplace_keep='echo ready\ncat >/dev/null\nkill -TERM -1 2>/dev/null\ntries=0\nwhile set -- /proc/[0-9]* && [ \"$#\" -gt 1 ] && [ \"$tries\" -lt 300 ]; do\n  sleep 0.1\n  tries=$((tries + 1))\ndone'\n\nplace_close() {\n  [ -n \"${place_pid:-}\" ] || return 0\n  exec 8>&-\n  wait \"$place_pid\"\n  place_pid=''\n}\n",
	"postgres-probe-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Is the server up, does it answer, how full is it? Every question has a limit of its own.\n# $1 nonce, $2 limit in seconds, $3 SQL that gives the numbers.\nnonce=$1 limit=$2 text=$3\nexport PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT=\"$limit\" PGOPTIONS=\"$session_options -c statement_timeout=${limit}s\"\nprobe() {\n  name=$1\n  shift\n  answer=$(timeout -k 1 \"$limit\" \"$@\" 2>&1)\n  printf '%s %s %s %s\\n' \"$nonce\" \"$name\" \"$?\" \"$(printf '%s' \"$answer\" | tr '\\n' ' ')\"\n}\nprobe ready pg_isready -q -t \"$limit\"\nprobe select psql -qAtXw -v ON_ERROR_STOP=1 -d template1 -c 'select 1'\nprobe facts psql -qAtXw -v ON_ERROR_STOP=1 -d template1 -c \"$text\"\nprintf '%s end 0\\n' \"$nonce\"\n",
	"postgres-properties-inside": "# shellcheck shell=sh disable=SC2154 # follows postgres-session.sh\n# Dumps a database without its data, as an archive, which says how it is made, to standard output. $1 nonce, $2 connection\n# string, $3 milliseconds to wait for a lock.\nguarded \"$1\" pg_dump -w -Fc -Z1 --schema-only --lock-wait-timeout=\"$3\" -d \"$2\"\n",
	"postgres-properties": "#!/bin/sh\n# Prints the statements that make a dump's database, its owner, comment, rights and settings. Only the head of the file is read.\n# $1 container, $2 session script, $3 nonce, $4 file, $5 how it is stored.\nset -u\ncontainer=$1 session=$2 nonce=$3 file=$4 stored=$5\n# Of a directory, the table of contents alone.\nfeed() { if [ \"$stored\" = directory ]; then tar -xOf \"$file\" ./toc.dat; else cat \"$file\" 2>/dev/null; fi; }\n# shellcheck disable=SC2016 # expanded inside the container\nopen='directory=$(mktemp -d) || exit\ntrap \"rm -rf \\\"$directory\\\"\" EXIT\nrestore() {\n  case $stored in\n  zst) zstd -dcq 2>/dev/null | pg_restore \"$@\" ;;\n  directory) cat >\"$directory/toc.dat\" && pg_restore \"$@\" \"$directory\" ;;\n  *) pg_restore \"$@\" ;;\n  esac\n}'\nlist=$(feed | docker exec -i \"$container\" sh -c \"$session\nstored=\\$1\n$open\nrestore -l -C\" sh \"$stored\") || exit\nlist=$(printf '%s\\n' \"$list\" |\n  grep -E '^[0-9]+; [0-9]+ [0-9]+ (DATABASE|DATABASE PROPERTIES|(COMMENT|ACL|SECURITY LABEL) - DATABASE) ')\n# shellcheck disable=SC2016\nfeed | docker exec -i \"$container\" sh -c \"$session\nstored=\\$1\n$open\nprintf '%s\\n' \\\"\\$3\\\" >\\\"\\$directory/list\\\"\nrestore -C -L \\\"\\$directory/list\\\" -f - || exit\nprintf '%s end 0\\n' \\\"\\$2\\\"\" sh \"$stored\" \"$nonce\" \"$list\"\n",
	"postgres-restore-inside": "# shellcheck shell=sh disable=SC2154,SC2034 # follows postgres-session.sh\n# Restores an archive into a new database beside the live one, and counts what came in.\n# $1 length of the archive in bytes, $2 its file, `-` for standard input, $3 nonce, $4 application name of this run,\n# $5 how it is stored, $6 SQL that makes the database, $7 SQL that drops it, $8 its connection string, $9 SQL that counts; the\n# rest are further options of pg_restore.\nbytes=$1 stored=$2 nonce=$3 packing=$5 create_sql=$6 drop_sql=$7 database=$8 count_sql=$9\nPGAPPNAME=$4\nshift 9\n# No commit waits for the disk: there are some for each table, and one at the end waits for all of them. Tables and indexes\n# come several at a time, so none of them needs helpers (nor the shared memory of a container, which is small).\nquickly='-c synchronous_commit=off -c max_parallel_maintenance_workers=0'\nPGOPTIONS=\"$session_options $quickly\"\n# What a killed restore left: there is never more than one at a time.\nrm -rf \"${TMPDIR:-/tmp}\"/infra-actions-restore.*\ndirectory=$(mktemp -d \"${TMPDIR:-/tmp}/infra-actions-restore.XXXXXX\") || exit 1\nrunning='' running_is=''\n\nfinish() {\n  code=$?\n  trap - EXIT\n  trap '' TERM INT HUP\n  [ \"$code\" = 0 ] || printf '%s stopping\\n' \"$nonce\" >&2\n  if [ -n \"$running\" ]; then\n    # A shell that runs psql must live to wait for it; psql ends with its session, which it may not have yet.\n    [ \"$running_is\" = function ] || kill \"$running\" 2>/dev/null\n    end_sessions \"$PGAPPNAME\"\n    until [ \"$running_is\" = program ] || [ -e \"$directory/ended\" ]; do sleep 0.2; end_sessions \"$PGAPPNAME\"; done\n    wait \"$running\" 2>/dev/null\n  fi\n  unguard\n  rm -rf \"$directory\"\n  printf '%s end %s\\n' \"$nonce\" \"$code\"\n  exit \"$code\"\n}\ntrap finish EXIT\ntrap 'exit 143' TERM INT HUP\n\nif [ \"$stored\" = - ]; then\n  stored=$directory/stored\n  head -c \"$bytes\" >\"$stored\" || exit\n  [ \"$(wc -c <\"$stored\")\" -eq \"$bytes\" ] || { echo 'the dump did not arrive whole' >&2; exit 1; }\nfi\nguard\n# In the background, with a wait, everything that takes long: a trap runs only between commands. What failed stays noted for\n# `finish`, which ends its sessions.\nrun() {\n  rm -f \"$directory/ended\"\n  case $1 in\n  run_script | settle)\n    running_is=function\n    { \"$@\"; code=$?; : >\"$directory/ended\"; exit \"$code\"; } &\n    ;;\n  *)\n    running_is=program\n    \"$@\" &\n    ;;\n  esac\n  running=$!\n  wait \"$running\" || return\n  running=\n}\narchive=$stored\ncase $packing in zst | directory)\n  archive=$directory/archive\n  if [ \"$packing\" = zst ]; then\n    run zstd -dq -o \"$archive\" \"$stored\" || exit\n  else\n    mkdir \"$archive\" || exit\n    run tar -xf \"$stored\" -C \"$archive\" || exit\n  fi\n  rm -f \"$directory/stored\"\n  ;;\nesac\n[ \"$packing\" = sql ] || pg_restore -l \"$archive\" >\"$directory/list\" || exit\nprintf '%s\\n' \"$create_sql\" | sql -d template1 || exit\n\n# Apart and last: refreshes with row security on, since a forced policy on a base table makes them an error otherwise;\n# after them event triggers, which could forbid whatever comes later.\nentry='^[0-9]+; [0-9]+ [0-9]+'\nrefreshes=\"$entry MATERIALIZED VIEW DATA \"\nevent_triggers=\"$entry ((COMMENT|SECURITY LABEL) - )?EVENT TRIGGER \"\nrestore_archive() {\n  grep -v -E \"$refreshes|$event_triggers\" \"$directory/list\" >\"$directory/all\"\n  # Without rows there is little to gain by several at a time.\n  case \" $* \" in *' --schema-only '*) jobs=1 ;; *) jobs=$(table_jobs) ;; esac\n  restore_most \"$@\" || {\n    code=$?\n    # Several at a time can dead-lock, over keys between tables or in functions of theirs. One cannot.\n    [ \"$jobs\" -gt 1 ] && grep -q 'deadlock detected' \"$directory/errors\" || exit \"$code\"\n    end_sessions \"$PGAPPNAME\"\n    jobs=1\n    printf '%s\\n%s\\n' \"$drop_sql\" \"$create_sql\" | sql -d template1 && restore_most \"$@\" || exit\n  }\n  for late in \"$refreshes\" \"$event_triggers\"; do\n    # A view may not be made of tables without rows.\n    case \" $* $late\" in *' --schema-only '*\"$refreshes\") continue ;; esac\n    grep -E \"$late\" \"$directory/list\" >\"$directory/late\" || continue\n    run pg_restore -w --exit-on-error --enable-row-security -L \"$directory/late\" -d \"$database\" \"$archive\" || exit\n  done\n}\nrestore_most() {\n  run pg_restore -w --exit-on-error \"$@\" -j \"$jobs\" -L \"$directory/all\" -d \"$database\" \"$archive\" 2>\"$directory/errors\"\n  code=$?\n  cat \"$directory/errors\" >&2\n  return \"$code\"\n}\n\n# SQL cannot be reordered: the same two things are kept from stopping it where they stand.\nrun_script() {\n  { gzip -dcq \"$archive\" || : >\"$directory/cut\"; } | {\n    while IFS= read -r line && [ \"$line\" != 'SET row_security = off;' ]; do printf '%s\\n' \"$line\"; done\n    cat\n  } | PGOPTIONS=\"$own_path_options $quickly -c session_replication_role=replica\" sql -d \"$database\" -f -\n}\nrestore_sql() {\n  run run_script || exit\n  [ ! -e \"$directory/cut\" ] || { echo 'the stored SQL does not decode to its end' >&2; exit 1; }\n}\nif [ \"$packing\" = sql ]; then restore_sql; else restore_archive \"$@\"; fi\nprintf '%s\\n' \"$count_sql\" >\"$directory/count.sql\"\nsettle() {\n  sql -d \"$database\" -f \"$directory/count.sql\" >\"$directory/counts\" &\n  counting=$!\n  sql -d \"$database\" -c 'analyze'\n  analyzed=$?\n  wait \"$counting\" && return \"$analyzed\"\n}\nrun settle || exit\nPGOPTIONS=\"$session_options -c synchronous_commit=local\" sql -d \"$database\" -c \\\n  \"select from pg_logical_emit_message(true, 'infra-actions', 'restored')\" || exit\nsed \"s/^/$nonce fact /\" \"$directory/counts\"\nsubscriptions=$(sql -d \"$database\" -c \"select count(*) from pg_subscription s join pg_database d on d.oid = subdbid where datname = current_database()\") || exit\nprintf '%s subscriptions %s\\n' \"$nonce\" \"$subscriptions\"\n",
	"postgres-restore": "#!/bin/sh\n# Has a dump restored by the programs of a Postgres image, and holds their input open for as long as we live.\n# $1 container of the server, $2 its image to run beside it or nothing, $3 and $4 scripts of `place_open`, $5 script that\n# restores, $6 file, $7 its length in bytes, $8 its SHA-256, $9 script that says how large the new database is, then its\n# name; the rest, which begins with the nonce, goes to $5.\n# shellcheck disable=SC2317,SC2154 # leave() is what the traps run; what begins with place_, and login, is set by `place_open`\nset -u\numask 077\ncontainer=$1 image=$2 login_script=$3 whole_script=$4 restore=$5 file=$6 bytes=$7 sha256=$8 grown=$9\nshift 9\nname=$1 nonce=$2\nshift\nwork='' inside='' ticker=''\nleave() {\n  code=$?\n  trap - EXIT\n  trap : TERM INT HUP\n  exec 9>&-\n  [ -z \"$ticker\" ] || kill \"$ticker\" 2>/dev/null\n  [ -z \"$inside\" ] || wait \"$inside\" 2>/dev/null\n  place_close\n  [ -z \"$work\" ] || rm -rf \"$work\"\n  exit \"$code\"\n}\ntrap leave EXIT\ntrap 'exit 143' TERM INT HUP\n# An archive that pg_dump packed with zstd has no check of its own: a flipped bit would come in as data.\nread -r is _ <<END\n$(sha256 <\"$file\")\nEND\nif [ \"$is\" != \"$sha256\" ] || [ \"$(wc -c <\"$file\")\" -ne \"$bytes\" ]; then\n  echo \"$file is not the file that the backup's manifest describes\" >&2\n  exit 1\nfi\nwork=$(mktemp -d) && mkfifo \"$work/alive\" \"$work/pipe\" || exit\nplace_open \"$container\" \"$image\" \"$nonce\" \"$login_script\" \"$whole_script\" \"$file\" \"$work/pipe\"\n# Beside, it reads the file itself.\nfrom=/infra-actions/file\n[ -n \"$place_beside\" ] || from=-\nthere \"$place_login$restore\" sh \"$bytes\" \"$from\" \"$@\" <\"$work/alive\" 8>&- &\ninside=$!\n# Before 9 is opened, which it must not hold open. It ends when we are gone, and what it starts ends by itself then.\nwhile sleep 10 >/dev/null 2>&1 && kill -0 \"$$\" 2>/dev/null; do\n  size=$(docker exec \"$container\" sh -c \"$grown\" sh \"$name\" 2>/dev/null) && printf '%s progress %s\\n' \"$nonce\" \"$size\"\ndone 8>&- &\nticker=$!\nexec 9>\"$work/alive\"\nif [ -n \"$place_beside\" ]; then printf '%s\\n' \"$login\" >&9; else cat \"$file\" >&9; fi || exit\nwait \"$inside\"\ncode=$?\ninside=''\nexit \"$code\"\n",
	"postgres-script-inside": "# shellcheck shell=sh\n# Reads a dump that somebody made, from standard input, and prints it as the SQL script that it is. $1 nonce, $2 its kind.\nnonce=$1\ncase $2 in\nplain) cat ;;\ngzip) gzip -dc ;;\nzstd) zstd -dcq ;;\narchive) pg_restore -f - ;;\ndirectory)\n  directory=$(mktemp -d) || exit 1\n  trap 'rm -rf \"$directory\"' EXIT\n  tar -xf - -C \"$directory\" && pg_restore -f - \"$directory\"\n  ;;\n*) exit 64 ;;\nesac || exit\nprintf '%s end 0\\n' \"$nonce\" >&2\n",
	"postgres-script": "#!/bin/sh\n# Says what kind of dump a path is, or prints it as an SQL script, by means of the container's programs.\n# $1 container, $2 script to run inside, $3 nonce, $4 path, $5 its kind; nothing for $5: print the kind.\nset -u\n[ -r \"$4\" ] || { echo \"there is no $4 that can be read\" >&2; exit 1; }\nif [ -z \"$5\" ]; then\n  if [ -d \"$4\" ]; then\n    [ -f \"$4/toc.dat\" ] || { echo \"$4 is a folder without toc.dat: not one that pg_dump made\" >&2; exit 1; }\n    echo directory\n    exit\n  fi\n  case $(head -c 5 \"$4\" | od -An -tx1 | tr -d ' \\n') in\n  5047444d50) echo archive ;;\n  1f8b*) echo gzip ;;\n  28b52ffd*) echo zstd ;;\n  746f632e64) echo archive ;; # a tar file, whose first member is toc.dat\n  *) echo plain ;;\n  esac\n  exit\nfi\nif [ \"$5\" = directory ]; then\n  tar -cf - -C \"$4\" . | docker exec -i \"$1\" sh -c \"$2\" sh \"$3\" \"$5\"\nelse\n  docker exec -i \"$1\" sh -c \"$2\" sh \"$3\" \"$5\" <\"$4\"\nfi\n",
	"postgres-session": "# shellcheck shell=sh disable=SC2034 # what is set here is for the scripts that follow\n# First part of every script that runs inside a Postgres container, or beside it: how we log in, and the settings that no\n# ALTER DATABASE or ALTER ROLE may change for us. Everything after it may use `sql`, `guard` and `$session_options`.\nset -u\numask 077\nexport LC_ALL=C\nfrom_file() { if [ -z \"$1\" ] && [ -n \"$2\" ]; then cat \"$2\"; else printf '%s' \"$1\"; fi; }\nPGUSER=$(from_file \"${POSTGRES_USER:-}\" \"${POSTGRES_USER_FILE:-}\")\nPGPASSWORD=$(from_file \"${POSTGRES_PASSWORD:-}\" \"${POSTGRES_PASSWORD_FILE:-}\")\nPGDATABASE=$(from_file \"${POSTGRES_DB:-}\" \"${POSTGRES_DB_FILE:-}\")\nPGUSER=${PGUSER:-postgres}\nPGDATABASE=${PGDATABASE:-$PGUSER}\nPGCONNECT_TIMEOUT=10\nPGAPPNAME=infra-actions\nunset PGHOST PGHOSTADDR PGSERVICE PGSERVICEFILE PGSSLMODE PGCLIENTENCODING PGTZ PGDATESTYLE\n# Beside it: where that very server answers, on the loopback interface, of which nobody else sees anything.\nif [ -n \"${place_server:-}\" ]; then\n  export PGHOST=127.0.0.1 PGPORT=\"${place_server%% *}\" PGSSLMODE=disable PGGSSENCMODE=disable\nfi\nsession_options='-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0'\nsession_options=\"$session_options -c row_security=off -c default_transaction_read_only=off\"\nsession_options=\"$session_options -c lc_messages=C -c client_min_messages=warning\"\nsession_options=\"$session_options -c standard_conforming_strings=on\"\nserver_major=$(psql -V | sed 's/[^0-9]*\\([0-9]*\\).*/\\1/')\n# Servers before 17 refuse a connection that names it.\n[ \"$server_major\" -lt 17 ] || session_options=\"$session_options -c transaction_timeout=0\"\n# A session whose client is gone ends, whatever it is at.\n[ \"$server_major\" -lt 14 ] || session_options=\"$session_options -c client_connection_check_interval=5s\"\n# What the database itself says stands for queries that its owner wrote, and for nothing of ours.\nown_path_options=$session_options\nsession_options=\"$session_options -c search_path=pg_catalog\"\nPGOPTIONS=$session_options\nexport PGUSER PGPASSWORD PGDATABASE PGCONNECT_TIMEOUT PGAPPNAME PGOPTIONS\n\n# A process that is left behind falls to process 1, which is the postmaster; when it then ends with another code than 0\n# or 1, the postmaster takes it for a crashed session and throws everybody out. So: whatever is started is waited for.\nsql() { PGCLIENTENCODING=UTF8 psql -qAtXw -v ON_ERROR_STOP=1 \"$@\"; }\n\n# The server that answers: its port, its cluster, when it started.\nwhich_server() {\n  sql -d template1 -c \"select current_setting('port'), system_identifier, extract(epoch from pg_postmaster_start_time())\n    from pg_control_system()\" -F ' '\n}\n\n# The caller holds our standard input open for as long as it lives and writes nothing more to it. When that ends, by\n# whatever death, we end too: a `docker exec` that is cut off leaves its process running otherwise.\nguard() {\n  main=$$\n  exec 5<&0 </dev/null\n  { read -r _ <&5; kill -TERM \"$main\"; } >/dev/null 2>&1 &\n  watcher=$!\n  exec 5<&-\n}\n\n# Stops the watcher, and waits for it.\nunguard() {\n  [ -n \"${watcher:-}\" ] || return 0\n  kill \"$watcher\" 2>/dev/null\n  wait \"$watcher\" 2>/dev/null\n  watcher=''\n}\n\n# How many tables at once: as many as there are processors, from 2 to 8.\ntable_jobs() {\n  processors=$(nproc 2>/dev/null || echo 2)\n  if [ \"$processors\" -lt 2 ]; then processors=2; elif [ \"$processors\" -gt 8 ]; then processors=8; fi\n  echo \"$processors\"\n}\n\n# Ends every server process of an application name, also those whose client is gone already.\nend_sessions() {\n  # No answer: the server itself has ended, and its sessions with it.\n  printf \"select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = '%s';\\n\" \"$1\" |\n    PGAPPNAME=infra-actions-end sql -d template1 >/dev/null 2>&1 || :\n}\n\n# guarded NONCE PROGRAM ARG...: runs it until it ends or our caller goes; its code stands on a marked line of standard error.\nguarded() {\n  mark=$1\n  shift\n  guard\n  \"$@\" </dev/null &\n  program=$!\n  trap 'kill \"$program\" 2>/dev/null' TERM INT HUP\n  wait \"$program\"\n  code=$?\n  # The second time for the code of one that a signal made us stop; the first wait ended with the signal's own.\n  [ \"$code\" -le 128 ] || wait \"$program\" 2>/dev/null\n  unguard\n  printf '%s end %s\\n' \"$mark\" \"$code\" >&2\n  exit \"$code\"\n}\n",
	"postgres-space-inside": "# shellcheck shell=sh\n# Size of the disk and free bytes where the database's files and where temporary files lie, inside the container. $1 nonce.\ndisk() { df -P -B1 \"$1\" | awk 'NR == 2 { print $2, $4 }'; }\nprintf '%s data %s\\n' \"$1\" \"$(disk \"${PGDATA:-/var/lib/postgresql/data}\")\"\nprintf '%s temporary %s\\n' \"$1\" \"$(disk \"${TMPDIR:-/tmp}\")\"\nprintf '%s end 0\\n' \"$1\"\n",
	"postgres-swap-inside": "# shellcheck shell=sh\n# Runs the transaction that renames databases, read from standard input, while every session in them is ended again and again.\n# A rename takes the database's lock first, so newcomers queue behind it and cannot win. The two sessions here, both named\n# infra-actions-swap, are never ended.\n# $1 nonce, $2 names of the databases as a JSON array.\nnonce=$1 names=$2\ndirectory=$(mktemp -d) || exit 1\ntrap 'rm -rf \"$directory\"' EXIT\ncat >\"$directory/swap.sql\"\nend_clients() {\n  PGAPPNAME=infra-actions-swap sql -d template1 -v names=\"$names\" <<'SQL'\nselect count(pg_terminate_backend(pid)) from pg_stat_activity\nwhere datname in (select * from json_array_elements_text(:'names')) and application_name <> 'infra-actions-swap';\nSQL\n}\nfor try in 1 2 3; do\n  rm -f \"$directory/code\"\n  {\n    PGAPPNAME=infra-actions-swap sql -d template1 -f \"$directory/swap.sql\" 2>\"$directory/error\"\n    echo \"$?\" >\"$directory/code.t\"\n    mv \"$directory/code.t\" \"$directory/code\"\n  } &\n  until [ -e \"$directory/code\" ]; do\n    # No free connection at this moment: ended sessions free some, so it goes on for as long as the swap itself.\n    end_clients >/dev/null 2>&1 || :\n    sleep 0.1\n  done\n  wait\n  read -r code <\"$directory/code\" || exit 1\n  if [ \"$code\" = 0 ]; then\n    printf '%s tries %s\\n%s end 0\\n' \"$nonce\" \"$try\" \"$nonce\"\n    exit 0\n  fi\n  grep -q 'is being accessed by other users' \"$directory/error\" || break\ndone\ncat \"$directory/error\" >&2\nexit 1\n",
	"proxy-switch": "# Gives nginx another upstream file and proves that its workers took it. $1 = the proxy's container id, $2 = the file on\n# the host, $3 = its new content, $4 = seconds to wait for the old workers to stop accepting.\n# When nginx refuses the new file, cannot be told, or does not take it, the old file is put back and the script fails.\nproxy=$1 file=$2 content=$3 wait=$4\nnext=$(dirname \"$file\")/.$(basename \"$file\").next\nbefore=$(dirname \"$file\")/.$(basename \"$file\").before\n\n# Workers that accept connections: those that are shutting down say so in their title.\naccepting() {\n  # shellcheck disable=SC2016 # expanded in the container\n  timeout -k 2 15 docker exec \"$proxy\" sh -c 'for p in /proc/[0-9]*; do\n    title=$(tr \"\\000\" \" \" <\"$p/cmdline\") 2>/dev/null || continue\n    case $title in\n      *\"shutting down\"*) ;;\n      \"nginx: worker process\"*) echo \"${p#/proc/}\" ;;\n    esac\n  done' 2>/dev/null\n}\nput_back() {\n  if [ -e \"$before\" ]; then mv -f \"$before\" \"$file\"; else rm -f \"$file\"; fi\n  timeout -k 2 15 docker exec \"$proxy\" nginx -s reload >/dev/null 2>&1\n  printf 'the proxy keeps its old upstream: %s\\n' \"$1\" >&2\n  exit 1\n}\n\nrm -f \"$before\"\nprintf '%s' \"$content\" >\"$next\" && chmod 644 \"$next\" && sync \"$next\" || exit\nif [ -e \"$file\" ]; then cp -p \"$file\" \"$before\" || exit; fi\nmv -f \"$next\" \"$file\" || exit\nsaid=$(timeout -k 2 30 docker exec \"$proxy\" nginx -t 2>&1) || put_back \"nginx refuses the new file: $(printf '%s\\n' \"$said\" | grep emerg | tail -n 1)\"\nold=$(accepting)\ntimeout -k 2 15 docker exec \"$proxy\" nginx -s reload || put_back \"nginx could not be told to reload\"\n\n# The reload is a signal and comes back at once: until the old workers have stopped accepting, requests still go the old way.\n[ -n \"$old\" ] || { sleep 2; rm -f \"$before\"; exit 0; }\nend=$(($(date +%s) + wait))\nwhile :; do\n  now=$(accepting)\n  left=\n  for worker in $old; do\n    case \" $(printf '%s' \"$now\" | tr '\\n' ' ') \" in *\" $worker \"*) left=\"$left $worker\" ;; esac\n  done\n  [ -n \"$left\" ] || { rm -f \"$before\"; exit 0; }\n  if [ \"$(date +%s)\" -ge \"$end\" ]; then\n    put_back \"its workers$left still accept connections $wait s after the reload; see the proxy's log\"\n  fi\n  sleep 0.2\ndone\n",
	"put-aside-back": "# The way back of set-aside, from wherever that was cut off; does nothing when nothing is aside. $1 the parent folder, $2\n# the directory's name, $3 its name aside, $4 the name under which what lies in its place now is kept. Says `kept` when\n# something is kept there.\nset -eu\ncd \"$1\"\n[ -e \"./$3\" ] || exit 0\nif [ -e \"./$2\" ] && ! rmdir \"./$2\" 2>/dev/null; then\n  [ ! -e \"./$4\" ] || { echo \"$4 is there already\" >&2; exit 1; }\n  mv \"./$2\" \"./$4\"\nfi\nmv \"./$3\" \"./$2\"\nsync\nif [ -e \"./$4\" ]; then echo kept; fi\n",
	"reconnect-network": "# Puts a container back into a network that was removed and made again, or that it was taken out of, and starts it.\n# $1 = network, $2 = the service's name, by which the others find it, $3 = container id.\ndocker network inspect \"$1\" >/dev/null || exit\n# It still refers to the network by the id of the one that is gone; not being in it is no error here.\ndocker network disconnect --force \"$1\" \"$3\" 2>/dev/null\ndocker network connect --alias \"$2\" \"$1\" \"$3\" || exit\ndocker start \"$3\"\n",
	"redis-check-file": "# Checks a stored snapshot with the product's own checker. $1 image, $2 file.\ncheck_rdb \"$1\" \"$2\"\n",
	"redis-check": "# check_rdb IMAGE FILE: reads the stored bytes to their end with the product's own checker, in a container without\n# network that goes away. Prints `magic`, for each database `select N` and the bytes that follow there, `keys`, `expires`.\ncheck_rdb() {\n  # shellcheck disable=SC2016 # expands in the container\n  report=$(docker run --rm -i --network none --label infra-actions.scratch=1 --user 0 --entrypoint sh \"$1\" -c \\\n    'exec \"$(command -v redis-check-rdb || command -v valkey-check-rdb)\" /dev/stdin' <\"$2\" 2>&1)\n  code=$?\n  case $report in *'RDB looks OK'*) ;; *) code=\"$code, without its OK\" ;; esac\n  if [ \"$code\" != 0 ]; then\n    printf '%s\\n' \"$report\" | tail -n 3 >&2\n    echo \"error $2 is not a whole snapshot: the checker ended with code $code\" >&2\n    return 1\n  fi\n  echo \"magic $(head -c 9 \"$2\")\"\n  printf '%s\\n' \"$report\" | sed -n 's/^\\[offset \\([0-9]*\\)\\] Selecting DB ID \\([0-9]*\\).*$/\\1 \\2/p' | while read -r offset database; do\n    echo \"select $database $(tail -c \"+$((offset + 1))\" \"$2\" | head -c 24 | od -An -v -tx1 | tr -d ' \\n')\"\n  done\n  printf '%s\\n' \"$report\" | sed -n 's/^\\[info\\] \\([0-9]*\\) keys read$/keys \\1/p; s/^\\[info\\] \\([0-9]*\\) expires$/expires \\1/p'\n}\n",
	"redis-client": "# Functions put in front of the other redis-* scripts.\n\n# Where the password may stand on a command line or in a named configuration file: told by docker, never printed.\nfind_password() {\n  given=$(docker inspect -f '{{.Path}} {{range .Args}}{{.}} {{end}}' \"$1\") || return 1\n  conf=$(printf '%s\\n' \"$given\" | tr ' ' '\\n' | grep '\\.conf$' | head -n 1)\n  password=$(printf '%s\\n' \"$given\" | sed -n 's/.*--requirepass[ =][\"'\\'']\\{0,1\\}\\([^ \"'\\''$]\\{1,\\}\\).*/\\1/p' | head -n 1)\n}\n\n# inside CONTAINER PORT [ARG...]: runs the sh text on standard input in the container. There `ask` is the client, `fail`\n# ends with a reason, $1.. are the ARGs. The password goes in by the environment alone.\ninside() {\n  (\n    container=$1 port=$2\n    shift 2\n    find_password \"$container\" || exit 1\n    text=$(client \"$port\" \"$conf\"; cat; printf x)\n    [ -z \"$password\" ] || { export REDISCLI_AUTH=\"$password\"; set -- -e REDISCLI_AUTH \"$container\" sh -s -- \"$@\"; }\n    [ -n \"$password\" ] || set -- \"$container\" sh -s -- \"$@\"\n    printf '%s' \"${text%x}\" | docker exec -i \"$@\"\n  )\n}\n\nclient() {\n  printf 'port=%s\\nconf=\"%s\"\\n' \"$1\" \"$(printf '%s' \"$2\" | tr -cd 'A-Za-z0-9._/-')\"\n  cat <<'INSIDE'\nexport LC_ALL=C\numask 077\nsay() { printf '%s\\n' \"$*\" >&2; }\nfail() { say \"error $*\"; exit 1; }\n: \"${REDISCLI_AUTH:=${DFLY_requirepass:-${REDIS_PASSWORD:-${VALKEY_PASSWORD:-${DRAGONFLY_PASSWORD:-}}}}}\"\nif [ -z \"$REDISCLI_AUTH\" ] && [ -r \"$conf\" ]; then\n  REDISCLI_AUTH=$(sed -n 's/^requirepass *\"\\{0,1\\}\\([^\"]*\\)\"\\{0,1\\} *$/\\1/p' \"$conf\" | tail -n 1)\nfi\nif [ -n \"$REDISCLI_AUTH\" ]; then export REDISCLI_AUTH; else unset REDISCLI_AUTH; fi\ncli=$(command -v redis-cli || command -v valkey-cli) || fail \"the image has no redis-cli\"\nif command -v timeout >/dev/null; then quick=\"timeout 20\"; else quick=; fi\nask() { $quick \"$cli\" -p \"$port\" \"$@\" 2>/dev/null | tr -d '\\r'; }\nslow() { \"$cli\" -p \"$port\" \"$@\" 2>/dev/null | tr -d '\\r'; }\nfield() { ask INFO persistence | sed -n \"s/^$1://p\"; }\nsetting() { ask CONFIG GET \"$1\" | sed -n 2p; }\nkeyspace() { ask INFO keyspace | grep '^db[0-9]' | tr '\\n' ' '; }\n# send FILE: its bytes to standard output; then, on the other one, their number and SHA-256 as the source has them.\n# The open file stays the same when the server renames a newer one over its name.\nsend() {\n  exec 3<\"$1\" || fail \"cannot open $1\"\n  cat <&3 || fail \"reading $1 stopped\"\n  say \"sent $(wc -c </proc/$$/fd/3) $(sha256sum </proc/$$/fd/3 | cut -d' ' -f1)\"\n  exec 3<&-\n}\nINSIDE\n}\n\n# receive PARTIAL COMMAND...: the command's output into a file, SHA-256 taken while writing and compared with what the\n# source said; the rest of what it said stays in PARTIAL.info.\nreceive() {\n  partial=$1\n  shift\n  rm -f \"$partial.fifo\"\n  mkfifo \"$partial.fifo\"\n  sha256sum <\"$partial.fifo\" >\"$partial.sum\" &\n  summer=$!\n  { \"$@\" 2>\"$partial.info\"; echo $? >\"$partial.code\"; } | tee \"$partial.fifo\" >\"$partial\"\n  written=$?\n  wait \"$summer\" || return 1\n  rm -f \"$partial.fifo\"\n  read -r sum _ <\"$partial.sum\"\n  read -r code <\"$partial.code\"\n  bytes=$(($(wc -c <\"$partial\")))\n  sent=$(sed -n 's/^sent *//p' \"$partial.info\")\n  grep '^error ' \"$partial.info\" >&2 && return 1\n  [ \"$written\" = 0 ] || { echo \"error writing $partial failed\" >&2; return 1; }\n  [ \"$code\" = 0 ] || { tail -n 3 \"$partial.info\" >&2; echo \"error the container's part ended with code $code\" >&2; return 1; }\n  [ \"$sent\" = \"$bytes $sum\" ] || { echo \"error $partial holds $bytes bytes $sum, the source sent ${sent:-nothing whole}\" >&2; return 1; }\n  [ \"$bytes\" -gt 0 ] || { echo \"error the snapshot is empty\" >&2; return 1; }\n  sync \"$partial\"\n}\n\n# room DIRECTORY KIB\nroom() {\n  free=$(df -Pk \"$1\" | sed -n '2s/^.* \\([0-9]\\{1,\\}\\) \\{1,\\}[0-9]\\{1,\\}% .*$/\\1/p')\n  [ \"${free:-0}\" -ge \"$2\" ] || { echo \"error $1 has ${free:-no known} KiB free, the snapshot may need $2 KiB\" >&2; return 1; }\n}\n",
	"redis-data": "# at_data TEXT CONTAINER IMAGE [ARG...]: runs the sh text as root in a container without network that has the volumes of\n# CONTAINER, since only the server's own user may read them; standard input goes to it.\nat_data() {\n  text=$1 container=$2 image=$3\n  shift 3\n  docker run --rm -i --network none --label infra-actions.scratch=1 --user 0 --volumes-from \"$container\" \\\n    --entrypoint sh \"$image\" -c \"$text\" at-data \"$@\"\n}\n\n# aside TO: moves all that a start would load out of the way; nothing is removed. $file, $append: as the server is set up.\n# moved TO MARK: says that all of it is there, since when, and what TO is. begin_append DIRECTORY LOG: with the append-only\n# file on, the snapshot alone is ignored and then overwritten: it must be the base of that file.\ncandidates() {\n  cat <<'INSIDE'\numask 077\nowner=$(stat -c %u:%g \"$1\") || exit 1\naside() {\n  mkdir -p -m 700 \"$1\" || exit 1\n  for one in \"$dir/$file\" \"$dir/$append\" \"$dir\"/temp-*.rdb \"$dir\"/appendonly.aof \"$dir\"/*.dfs \"$dir\"/*.rdb \"$dir\"/*.tmp; do\n    if [ -e \"$one\" ] && [ \"$one\" != \"$dir/\" ]; then mv \"$one\" \"$1/\" || exit 1; fi\n  done\n}\nmoved() {\n  printf '%s %s\\n' \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\" \"$2\" >\"$1/.moved\" && chown \"$owner\" \"$1\" || exit 1\n}\nbegin_append() {\n  mkdir -m 700 \"$dir/$1\" && ln \"$dir/$file\" \"$dir/$1/$2.1.base.rdb\" || exit 1\n  echo \"file $2.1.base.rdb seq 1 type b\" >\"$dir/$1/$2.manifest\" && chown -R \"$owner\" \"$dir/$1\" || exit 1\n}\nINSIDE\n}\n",
	"redis-dump-set": "# Backs up Dragonfly into a set of files. $1 container, $2 port, $3 name of the set in the data directory, $4 target\n# without `-0000.dfs.partial`, $5 KiB that the snapshot may need, $6 seconds that the save may take. On standard output:\n# what was found. Neither a missing file nor a changed byte is noticed by Dragonfly: the caller checks the set.\nset -u\ncontainer=$1 port=$2 set=$3 target=$4 need=$5 limit=$6 bytes='' sum=''\numask 077\nmkdir -p \"$(dirname \"$target\")\"\nchmod 700 \"$(dirname \"$target\")\"\n\nforget() {\n  inside \"$container\" \"$port\" \"$set\" <<'INSIDE'\ndir=$(setting dir)\n[ -n \"$dir\" ] || fail \"CONFIG GET dir gave nothing\"\nrm -f \"$dir/$1\"-*.dfs \"$dir/$1\"-*.dfs.tmp\nINSIDE\n}\nbroken() { rm -f \"$target\"-*.dfs.partial; forget || echo \"the set $set may still lie in the data directory\" >&2; exit 1; }\ntrap 'rm -f \"$target\"-*.partial.fifo \"$target\"-*.partial.sum \"$target\"-*.partial.info \"$target\"-*.partial.code \"$target.list.partial\"' EXIT\ntrap 'broken' TERM INT HUP\nroom \"$(dirname \"$target\")\" \"$need\" || exit 1\n\ninside \"$container\" \"$port\" \"$set\" \"$need\" \"$limit\" >\"$target.list.partial\" <<'INSIDE' || broken\nset=$1 need=$2 limit=$3\ndir=$(setting dir)\ncase $dir in\n  *://*) fail \"the data directory is $dir: a snapshot there is no file that can be copied\" ;;\n  '') fail \"CONFIG GET dir gave nothing: $(ask PING)\" ;;\nesac\nwhile [ \"$(field loading)\" != 0 ]; do\n  limit=$((limit - 1))\n  [ \"$limit\" -gt 0 ] || fail \"still loading its data\"\n  sleep 1\ndone\nfree=$(df -Pk \"$dir\" | sed -n '2s/^.* \\([0-9]\\{1,\\}\\) \\{1,\\}[0-9]\\{1,\\}% .*$/\\1/p')\n[ \"${free:-0}\" -ge \"$need\" ] || fail \"the data directory $dir has ${free:-no known} KiB free, the snapshot may need $need KiB\"\n# Sets of runs that died: only this suite uses the name.\nrm -f \"$dir\"/infra-actions-*.dfs \"$dir\"/infra-actions-*.dfs.tmp\nchanges() { ask INFO stats | grep -E '^(keyspace_mutations|expired_keys|evicted_keys):' | tr '\\n' ' '; }\n# SAVE blocks nobody here and answers when the files are in place; the state after BGSAVE cannot be known.\nwhile :; do\n  before=\"$(changes)$(keyspace)\"\n  reply=$(slow SAVE DF \"$set\")\n  case $reply in\n    OK) break ;;\n    *\"in progress\"*)\n      limit=$((limit - 1))\n      [ \"$limit\" -gt 0 ] || fail \"another save did not end in time\"\n      sleep 1 ;;\n    *) fail \"SAVE answered: $reply\" ;;\n  esac\ndone\necho \"before $before\"\necho \"after $(keyspace)$(changes)\"\n# What it counted by type while it wrote, unless another save has ended since.\nsaved=$(ask INFO persistence)\ncase $(printf '%s\\n' \"$saved\" | sed -n 's/^last_saved_file://p') in\n  \"$set-summary.dfs\" | */\"$set-summary.dfs\")\n    echo \"wrote $(printf '%s\\n' \"$saved\" | grep -E '^rdb_[a-z]+:' | tr '\\n' ' ')\" ;;\nesac\nfor file in \"$dir/$set\"-*.dfs; do\n  [ -e \"$file\" ] || fail \"SAVE answered OK but left no file in $dir\"\n  echo \"part $(basename \"$file\")\"\ndone\nINSIDE\n\nsend_part() {\n  inside \"$container\" \"$port\" \"$1\" <<'INSIDE'\nsend \"$(setting dir)/$1\"\nINSIDE\n}\ngrep -E '^(before|after|wrote) ' \"$target.list.partial\"\n# The names hold no blank: the set's is ours and Dragonfly adds numbers.\nparts=$(sed -n \"s/^part //p\" \"$target.list.partial\")\nfor part in $parts; do\n  file=$target${part#\"$set\"}\n  receive \"$file.partial\" send_part \"$part\" </dev/null || broken\n  echo \"file $bytes $sum $(basename \"$file\")\"\ndone\nforget\n",
	"redis-dump": "# Backs up Redis or Valkey into one file. $1 container, $2 port, $3 image, $4 target without `.partial`, $5 KiB that the\n# snapshot may need, $6 seconds that the save may take. The server stays in use. On standard output: what was found.\nset -u\ntarget=$4 need=$5 bytes='' sum=''\numask 077\nmkdir -p \"$(dirname \"$target\")\"\nchmod 700 \"$(dirname \"$target\")\"\ntrap 'rm -f \"$target.partial.fifo\" \"$target.partial.sum\" \"$target.partial.info\" \"$target.partial.code\"' EXIT\nbroken() { rm -f \"$target.partial\"; exit 1; }\ntrap 'broken' TERM INT HUP\nroom \"$(dirname \"$target\")\" \"$need\" || broken\n\nsnapshot() {\n  inside \"$1\" \"$2\" \"$3\" \"$4\" <<'INSIDE'\nneed=$1 limit=$2\nuntil_field() {\n  while [ \"$(field \"$1\")\" != \"$2\" ]; do\n    limit=$((limit - 1))\n    [ \"$limit\" -gt 0 ] || fail \"the save did not end in time ($1 is not $2)\"\n    sleep 1\n  done\n}\ndir=$(setting dir) name=$(setting dbfilename)\n[ -n \"$dir\" ] && [ -n \"$name\" ] || fail \"CONFIG GET dir and dbfilename gave nothing: $(ask PING)\"\nuntil_field loading 0\nfree=$(df -Pk \"$dir\" | sed -n '2s/^.* \\([0-9]\\{1,\\}\\) \\{1,\\}[0-9]\\{1,\\}% .*$/\\1/p')\n[ \"${free:-0}\" -ge \"$need\" ] || fail \"the data directory $dir has ${free:-no known} KiB free, the snapshot may need $need KiB; a save that fails would make the server refuse writes\"\nsay \"before $(keyspace)\"\n# LASTSAVE has a resolution of a second and proves nothing; rdb_saves counts every save that has ended.\nwhile :; do\n  saves=$(field rdb_saves)\n  reply=$(ask BGSAVE)\n  case $reply in\n    *\"Another child process\"* | *\"child process is active\"*) reply=$(ask BGSAVE SCHEDULE) ;;\n  esac\n  case $reply in\n    *started*) break ;;\n    *scheduled*)\n      while [ \"$(field rdb_saves)\" = \"$saves\" ]; do\n        limit=$((limit - 1))\n        [ \"$limit\" -gt 0 ] || fail \"the scheduled save did not begin in time\"\n        sleep 1\n      done\n      break ;;\n    *\"already in progress\"*) until_field rdb_bgsave_in_progress 0 ;;\n    *) fail \"BGSAVE answered: $reply\" ;;\n  esac\ndone\nwaited=0\nwhile [ \"$(field rdb_bgsave_in_progress)\" != 0 ] && [ \"$waited\" -lt 20 ]; do waited=$((waited + 1)); sleep 0.1; done\nuntil_field rdb_bgsave_in_progress 0\nstatus=$(field rdb_last_bgsave_status)\n[ \"$status\" = ok ] || fail \"the save ended with status ${status:-unknown}\"\n[ \"$(field rdb_saves)\" -gt \"$saves\" ] || fail \"the save left no trace in rdb_saves\"\nsay \"after $(keyspace)\"\nsend \"$dir/$name\"\nINSIDE\n}\n\nreceive \"$target.partial\" snapshot \"$1\" \"$2\" \"$need\" \"$6\" || broken\nsed -n '/^before /p;/^after /p' \"$target.partial.info\"\necho \"file $bytes $sum $(basename \"$target\")\"\ncheck_rdb \"$3\" \"$target.partial\" || broken\n",
	"redis-find": "# Looks for folders of a restore or an undo in all that is mounted: nobody needs to know where the server keeps its data.\n# $1 container, $2 image, $3 folders' names, blanks between them, $4.. where its volumes are mounted. Two lines for each: its\n# path, then its mark, empty without one.\n# shellcheck disable=SC2016 # expands in the container\ntext='\nnames=$1\nshift\nfor name in $names; do\n  found=$(find \"$@\" -xdev -type d -name \"$name\" -prune) || exit 1\n  [ -z \"$found\" ] || printf \"%s\\n\" \"$found\" | sort -u | while read -r one; do\n    printf \"%s\\n%s\\n\" \"$one\" \"$(head -n 1 \"$one/.moved\" 2>/dev/null)\"\n  done\ndone\necho end\n'\nat_data \"$text\" \"$@\" </dev/null\n",
	"redis-forget": "# Removes for good what restores replaced, or had brought, and kept. $1 container, $2 image, $3 data directory, $4.. folders in it. One that has\n# no mark is not theirs.\n# shellcheck disable=SC2016 # expands in the container\ntext='\ncd \"$1\" || exit 1\nshift\nfor one; do\n  case $one in *[!A-Za-z0-9._-]*) exit 1 ;; .pre-restore-?* | .failed-restore-?*) ;; *) exit 1 ;; esac\n  [ -e \"$one/.moved\" ] || { echo \"error $one is not what a restore replaced\" >&2; exit 1; }\ndone\nfor one; do rm -rf \"./$one\" || exit 1; done\nsync\n'\nat_data \"$text\" \"$@\" </dev/null\n",
	"redis-kept": "# What restores replaced and kept, and what failed ones had brought. $1 container, $2 image, $3 data directory. Lines `KIB FOLDER MARK`; a folder without a mark\n# was still being filled when its restore was cut, an empty one with a mark was taken back.\n# shellcheck disable=SC2016 # expands in the container\ntext='\ncd \"$1\" || exit 1\nfor one in .pre-restore-* .failed-restore-*; do\n  [ -d \"$one\" ] && [ -n \"$(ls \"$one\")\" ] || continue\n  printf \"%s %s %s\\n\" \"$(du -sk \"$one\" | cut -f1)\" \"$one\" \"$(head -n 1 \"$one/.moved\" 2>/dev/null)\"\ndone\necho end\n'\nat_data \"$text\" \"$1\" \"$2\" \"$3\" </dev/null\n",
	"redis-keys-read": "# The line of Dragonfly's log about the load at its start, if there is one. $1 container. Its log is on standard error, or,\n# when it was started without --logtostderr, in a file of its own; neither need be there.\nsince=$(docker inspect -f '{{.State.StartedAt}}' \"$1\") || exit 1\nline=$(docker logs --since \"$since\" \"$1\" 2>&1 | grep -m 1 'num keys read: ')\n[ -n \"$line\" ] || line=$(docker exec \"$1\" cat /tmp/dragonfly.INFO 2>/dev/null | grep -m 1 'num keys read: ')\nprintf '%s\\n' \"$line\"\n",
	"redis-probe": "# Asks a redis-compatible server how it is. $1 container, $2 port. First line: the reply to PING; then INFO.\ninside \"$1\" \"$2\" <<'INSIDE'\nprintf 'PING\\nINFO\\nINFO persistence\\n' | $quick \"$cli\" -p \"$port\" 2>/dev/null | tr -d '\\r'\nINSIDE\n",
	"redis-round-trip": "# Writes, reads and removes one scratch key that would expire by itself. $1 container, $2 port, $3 key.\ninside \"$1\" \"$2\" \"$3\" <<'INSIDE'\nreply=$(ask SET \"$1\" \"$1\" EX 30 NX)\n[ \"$reply\" = OK ] || { echo \"SET answered: $reply\"; exit 1; }\nreply=$(ask GET \"$1\")\n[ \"$reply\" = \"$1\" ] || { echo \"GET answered: $reply\"; exit 1; }\nreply=$(ask DEL \"$1\")\n[ \"$reply\" = 1 ] || { echo \"DEL answered: $reply\"; exit 1; }\necho ok\nINSIDE\n",
	"redis-save": "# Makes a running server write all its data to its data directory and proves it. $1 container, $2 port, $3 seconds that it\n# may take.\ninside \"$1\" \"$2\" \"$3\" <<'INSIDE'\nlimit=$1\nwait_second() {\n  limit=$((limit - 1))\n  [ \"$limit\" -gt 0 ] || fail \"the save did not end in time\"\n  sleep 1\n}\nif ask INFO server | grep -q '^dragonfly_version:'; then\n  while :; do\n    reply=$(slow SAVE)\n    case $reply in\n      OK) exit 0 ;;\n      *\"in progress\"*) wait_second ;;\n      *\"filename is not specified\"*) fail \"it is set up without dbfilename: its data would not outlive a restart\" ;;\n      *) fail \"SAVE answered: $reply\" ;;\n    esac\n  done\nfi\n# SAVE rather than BGSAVE: its reply is the proof, and nobody is left to be kept waiting.\nwhile :; do\n  reply=$(slow SAVE)\n  case $reply in\n    OK) exit 0 ;;\n    *\"already in progress\"*) wait_second ;;\n    *) fail \"SAVE answered: $reply\" ;;\n  esac\ndone\nINSIDE\n",
	"redis-settings-stopped": "# The same for one that does not answer: $1 container. From what Dragonfly reads of its environment, from the configuration\n# file that its arguments name, and from these; what none of them says keeps the image's default. `workdir`: where it starts.\nworkdir=$(docker inspect -f '{{.Config.WorkingDir}}' \"$1\") || exit 1\nenvironment=$(docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' \"$1\") || exit 1\nfind_password \"$1\" || exit 1\nunset password\n: \"${given:=}\"\necho \"workdir ${workdir:-/}\"\necho \"dir ${workdir:-/data}\"\nwanted='dir|dbfilename|appendonly|appenddirname|appendfilename'\nprintf '%s\\n' \"$environment\" | sed -n -E \"s/^DFLY_($wanted)=(.*)$/\\1 \\2/p\"\n: \"${conf:=$(printf '%s\\n' \"$given\" | tr ' ' '\\n' | sed -n 's/^--flagfile=//p' | tail -n 1)}\"\nif [ -n \"$conf\" ]; then\n  case $conf in /*) ;; *) conf=${workdir%/}/$conf ;; esac\n  # By itself first, for a pipe tells only how its last part ended.\n  docker cp -L \"$1:$conf\" - >/dev/null || { echo \"error its configuration file $conf cannot be read\" >&2; exit 1; }\n  docker cp -L \"$1:$conf\" - | tar -xOf - | tr -d \"\\\"'\\r\" | sed -n -E \"s/^(--)?($wanted)[= ]+(.*)$/\\2 \\3/p\"\nfi\nprintf '%s\\n' \"$given\" | sed 's/ --/\\n--/g' | tr -d \"\\\"'\" | sed -n -E \"s/^--($wanted)[= ]([^ ]*) *$/\\1 \\2/p\"\n",
	"redis-settings": "# Where a redis-compatible server that answers keeps its data. $1 container, $2 port. Lines `name value`.\ninside \"$1\" \"$2\" <<'INSIDE'\nfor name in dir dbfilename appendonly appenddirname appendfilename; do\n  printf '%s %s\\n' \"$name\" \"$(setting \"$name\")\"\ndone\nINSIDE\n",
	"redis-stage": "# Brings one file of a snapshot beside the live data. $1 container, $2 image, $3 data directory in the container, $4 id\n# of the restore, $5 file on the host, $6 its SHA-256, $7 name of the file beside. What an earlier restore of the same run\n# has kept gets a number: its name is needed.\n# shellcheck disable=SC2016 # expands in the container\ntext='\ndir=$1 folder=$1/.restore-$2 sum=$3 name=$4 need=$5\numask 077\nfree=$(df -Pk \"$dir\" | sed -n \"2s/^.* \\([0-9]\\{1,\\}\\) \\{1,\\}[0-9]\\{1,\\}% .*$/\\1/p\")\n[ \"${free:-0}\" -ge \"$need\" ] || { echo \"error $dir has ${free:-no known} KiB free, the snapshot needs $need KiB\" >&2; exit 1; }\nkept=$dir/.pre-restore-$2 number=1\nif [ -e \"$kept\" ]; then\n  while [ -e \"$kept.$number\" ]; do number=$((number + 1)); done\n  mv \"$kept\" \"$kept.$number\" || exit 1\nfi\nmkdir -p \"$folder\" && cat >\"$folder/$name\" || exit 1\n[ \"$(sha256sum <\"$folder/$name\" | cut -d\" \" -f1)\" = \"$sum\" ] || { echo \"error $name changed on its way\" >&2; rm -f \"$folder/$name\"; exit 1; }\nchown \"$(stat -c %u:%g \"$dir\")\" \"$folder\" \"$folder/$name\" && sync\n'\nat_data \"$text\" \"$1\" \"$2\" \"$3\" \"$4\" \"$6\" \"$7\" \"$(($(wc -c <\"$5\") / 1024 + 1024))\" <\"$5\"\n",
	"redis-swap": "# Puts the staged files in the place of what the stopped server would load; that is moved aside and kept. $1 container,\n# $2 image, $3 data directory, $4 id, $5 dbfilename, $6 append-only directory or `-`, $7 append-only file's name, $8 what\n# to note about the data that is moved.\n# shellcheck disable=SC2016 # expands in the container\ntext=$(candidates)'\ndir=$1 id=$2 file=$3 append=$4 log=$5 note=$6\n[ -n \"$(ls -A \"$dir/.restore-$id\")\" ] || { echo \"error nothing is staged\" >&2; exit 1; }\non=$append\n[ \"$append\" != - ] || append=appendonlydir\naside \"$dir/.pre-restore-$id\"\nmoved \"$dir/.pre-restore-$id\" \"$note\"\nfor one in \"$dir/.restore-$id\"/*; do mv \"$one\" \"$dir/\" || exit 1; done\nrmdir \"$dir/.restore-$id\" || exit 1\n[ \"$on\" = - ] || begin_append \"$on\" \"$log\"\nsync\n'\nat_data \"$text\" \"$1\" \"$2\" \"$3\" \"$4\" \"$5\" \"$6\" \"$7\" \"$8\" </dev/null\n",
	"redis-take-back": "# Puts what a restore kept in the place of what the stopped server would load; that is moved aside in the same way. $1\n# container, $2 image, $3 data directory, $4 id, $5 dbfilename, $6 append-only directory or `-`, $7 append-only file's\n# name, $8 what to note about the data that is moved, $9 the folder that was kept: its mark stays until the data is proven.\n# shellcheck disable=SC2016 # expands in the container\ntext=$(candidates)'\ndir=$1 id=$2 file=$3 append=$4 log=$5 note=$6 kept=$7\n[ -e \"$dir/$kept/.moved\" ] || { echo \"error $kept is not a whole set of replaced files\" >&2; exit 1; }\non=$append\n[ \"$append\" != - ] || append=appendonlydir\naside \"$dir/.pre-restore-$id\"\nmoved \"$dir/.pre-restore-$id\" \"$note\"\nfor one in \"$dir/$kept\"/*; do\n  if [ -e \"$one\" ]; then mv \"$one\" \"$dir/\" || exit 1; fi\ndone\nif [ \"$on\" != - ] && [ ! -e \"$dir/$on\" ] && [ -e \"$dir/$file\" ]; then begin_append \"$on\" \"$log\"; fi\nsync\n'\nat_data \"$text\" \"$1\" \"$2\" \"$3\" \"$4\" \"$5\" \"$6\" \"$7\" \"$8\" \"$9\" </dev/null\n",
	"redis-taken": "# Removes the folder of what was taken back, which is empty by now. $1 container, $2 image, $3 data directory, $4 the folder.\n# shellcheck disable=SC2016 # expands in the container\ntext='\ncd \"$1\" || exit 1\n[ -z \"$(ls \"$2\")\" ] || { echo \"error $2 is not empty\" >&2; exit 1; }\nrm -f \"./$2/.moved\" && rmdir \"./$2\"\n'\nat_data \"$text\" \"$1\" \"$2\" \"$3\" \"$4\" </dev/null\n",
	"redis-undo": "# Puts back what a restore has moved aside; what it had put there is kept as `.failed-restore-ID`, or in the folder $7 that\n# it came from. $1 container, $2 image, $3 data directory, $4 id, $5 dbfilename, $6 append-only directory or `-`. The\n# server is stopped, or nothing has been swapped yet.\n# shellcheck disable=SC2016 # expands in the container\ntext=$(candidates)'\ndir=$1 id=$2 file=$3 append=$4 from=${5:-.failed-restore-$2}\n[ \"$append\" != - ] || append=appendonlydir\nrm -rf \"$dir/.restore-$id\"\n[ -d \"$dir/.pre-restore-$id\" ] || exit 0\n# Without the mark the old data was still being moved: what lies in the directory is old, too.\nif [ -e \"$dir/.pre-restore-$id/.moved\" ]; then\n  aside \"$dir/$from\"\n  [ -e \"$dir/$from/.moved\" ] || moved \"$dir/$from\" \"{\\\"run\\\":\\\"$id\\\",\\\"append\\\":null,\\\"atLeast\\\":null}\"\n  # From here on what lies in the directory is old: who comes after a kill must not move it away again.\n  rm -f \"$dir/.pre-restore-$id/.moved\" && sync || exit 1\nfi\nfor one in \"$dir/.pre-restore-$id\"/*; do\n  if [ -e \"$one\" ]; then mv \"$one\" \"$dir/\" || exit 1; fi\ndone\nrmdir \"$dir/.pre-restore-$id\" && sync\n'\nat_data \"$text\" \"$1\" \"$2\" \"$3\" \"$4\" \"$5\" \"$6\" \"${7:-}\" </dev/null\n",
	"redis-version": "# The product in an image and its version, in its own words. $1 image.\n# shellcheck disable=SC2016 # expands in the container\ndocker run --rm --network none --label infra-actions.scratch=1 --entrypoint sh \"$1\" -c \\\n  'for one in valkey-server redis-server dragonfly; do if command -v \"$one\" >/dev/null; then exec \"$one\" --version; fi; done; exit 1' </dev/null\n",
	"s3-download": "# Fetches one file straight from S3, several ranges at once. $1 directory of backups, $2 path in it, $3 bytes, $4 SHA-256,\n# $5 ETag or `-`, $6 tries of a range, $7 seconds without progress that cut a try, $8 ranges at once. Standard input: the URL,\n# which stands in no argument, file or output here. What came before is kept and completed; the file gets its name only when\n# its SHA-256 is right. Prints `renew` instead, for another call with a fresh URL, when this one got old on the way. As it goes\n# on: `from BYTES` that were there before, and `range BYTES` for each that came.\nset -u\numask 077\nbytes=$3 sum=$4 etag=$5 tries=$6 stall=$7 lanes=$8 block=1048576 range=16777216\nread -r url\nmkdir -p \"$1/$(dirname \"$2\")\" && cd \"$1\" && chmod 700 . \"$(dirname \"$2\")\" || exit 1\nfile=$2 partial=$2.partial\nstate=$partial.ranges\nright() { [ \"$(stat -c %s \"$1\")\" = \"$bytes\" ] && [ \"$(sha256sum <\"$1\" | cut -d' ' -f1)\" = \"$sum\" ]; }\nif [ -e \"$file\" ]; then\n  if right \"$file\"; then echo \"already there\"; exit 0; fi\n  # Nothing is overwritten: the damaged file stays for whoever wants to look at it.\n  mv \"$file\" \"$file.damaged.$(date +%s)\" || exit 1\nfi\n# What came of another object is no beginning of this one.\nif ! [ -e \"$partial\" ] || [ \"$(sed -n 1p \"$state\" 2>/dev/null)\" != \"$sum $etag\" ]; then\n  : >\"$partial\" && echo \"$sum $etag\" >\"$state\" || exit 1\nfi\nfree=$(df -Pk . | sed -n '2s/^.* \\([0-9]\\{1,\\}\\) \\{1,\\}[0-9]\\{1,\\}% .*$/\\1/p')\nleft=$((bytes / 1024 - $(du -k \"$partial\" | cut -f1)))\n[ \"${free:-0}\" -ge \"$left\" ] || { echo \"error $1 has ${free:-no known} KiB free, the file needs $left KiB\" >&2; exit 1; }\nbefore=$(grep -c '^done ' \"$state\")\necho \"from $((before * range))\"\nwork=$(mktemp -d) || exit 1\ntrap 'rm -rf \"$work\"' EXIT\ntrap 'exit 1' TERM INT HUP\n\n# get N: one range into its place. 0 when all of it came; else `code` is the answer.\nget() {\n  first=$(($1 * range)) last=$((($1 + 1) * range - 1))\n  [ \"$last\" -lt \"$bytes\" ] || last=$((bytes - 1))\n  # An answer that is longer than its range must not run into the next one.\n  {\n    curl -sS -f -K /dev/fd/3 -r \"$first-$last\" --connect-timeout 10 --speed-limit 1000 --speed-time \"$stall\" \\\n      -D \"$work/$1.head\" 2>/dev/null 3<<CONFIG\nurl = \"$url\"\n$([ \"$etag\" = - ] || printf 'header = \"If-Match: \\\\\"%s\\\\\"\"' \"$etag\")\nCONFIG\n    echo $? >\"$work/$1.rc\"\n  } | head -c $((last - first + 1)) | dd of=\"$partial\" bs=\"$block\" seek=$((first / block)) conv=notrunc 2>/dev/null || { code=disk; return 1; }\n  read -r rc <\"$work/$1.rc\"\n  code=$(sed -n 's/^HTTP[^ ]* \\([0-9]*\\).*$/\\1/p' \"$work/$1.head\" 2>/dev/null | tail -n 1)\n  rm -f \"$work/$1.head\" \"$work/$1.rc\"\n  # A 200 is the whole object, not the range that was asked for.\n  [ \"${code:=000}\" = 206 ] && [ \"$rc\" = 0 ]\n}\n\n# lane N: every so many-th range, until all are there or one of them cannot be had.\nlane() {\n  number=$1\n  while [ $((number * range)) -lt \"$bytes\" ]; do\n    failed=0\n    until [ -e \"$work/failed\" ] || grep -qx \"done $number\" \"$state\"; do\n      if get \"$number\"; then\n        echo \"done $number\" >>\"$state\"\n        echo \"range $((last + 1 - first))\"\n        continue\n      fi\n      failed=$((failed + 1))\n      case $code in\n        403 | 404 | 412 | disk) echo \"$code\" >\"$work/failed\" ;;\n        *) [ \"$failed\" -lt \"$tries\" ] || echo \"$code\" >\"$work/failed\" ;;\n      esac\n      sleep \"$failed\"\n    done\n    number=$((number + lanes))\n  done\n}\n\npids=\nfrom=0\nwhile [ \"$from\" -lt \"$lanes\" ]; do\n  lane \"$from\" &\n  pids=\"$pids $!\"\n  from=$((from + 1))\ndone\nfor pid in $pids; do wait \"$pid\"; done\n\nif [ -e \"$work/failed\" ]; then\n  read -r code <\"$work/failed\"\n  if [ \"$code\" = 403 ] && [ \"$(grep -c '^done ' \"$state\")\" -gt \"$before\" ]; then echo renew; exit 0; fi\n  case $code in\n    # An old URL is refused like a wrong one: what came stays for a fresh one.\n    403) echo \"error S3 answered 403 for $file\" >&2 ;;\n    404 | 412) rm -f \"$partial\" \"$state\"; echo \"error S3 answered $code for $file\" >&2 ;;\n    disk) echo \"error $partial cannot be written\" >&2 ;;\n    *) echo \"error S3 answered $code for $file, $tries times\" >&2 ;;\n  esac\n  exit 1\nfi\nrm -f \"$state\"\nif ! right \"$partial\"; then\n  rm -f \"$partial\"\n  echo \"error $file came from S3 with other bytes than its manifest says\" >&2\n  exit 1\nfi\nsync \"$partial\"\nmv \"$partial\" \"$file\"\nsync \"$(dirname \"$file\")\"\necho \"fetched $bytes\"\n",
	"s3-part-sums": "# The MD5s of a file's parts, and the SHA-256 of the same bytes. $1 file, $2 size of a part in whole MiB of bytes, $3 number of\n# the last one. Lines `NUMBER MD5`, at last `sum SHA256`.\nset -u\nwork=$(mktemp -d) && mkfifo \"$work/stream\" || exit 1\ntrap 'rm -rf \"$work\"' EXIT\ntrap 'exit 1' TERM INT HUP\nif openssl md5 -r </dev/null >/dev/null 2>&1; then md5() { openssl md5 -r; }; else md5() { md5sum; }; fi\nsha256 <\"$work/stream\" >\"$work/sum\" & summing=$!\nexec 7>\"$work/stream\"\nnumber=0\nwhile [ \"$number\" -lt \"$3\" ]; do\n  sum=$(dd if=\"$1\" bs=1048576 skip=$((number * ($2 / 1048576))) count=$(($2 / 1048576)) 2>/dev/null | tee \"$work/stream\" | md5)\n  number=$((number + 1))\n  echo \"$number ${sum%% *}\"\ndone\nexec 7>&-\nwait \"$summing\"\nread -r sum _ <\"$work/sum\"\necho \"sum $sum\"\n",
	"s3-reach": "# Whether this host can send to S3 itself. $1 address of the store. Prints `ok`, or why not.\nif ! command -v curl >/dev/null 2>&1; then echo \"curl is not installed\"; exit 0; fi\nif ! command -v md5sum >/dev/null 2>&1; then echo \"md5sum is not installed\"; exit 0; fi\ncode=$(curl -sS -o /dev/null -w '%{http_code}' --connect-timeout 5 --max-time 15 \"$1\" 2>/dev/null)\nrc=$?\ncase $rc in\n  0) if [ \"$code\" != 000 ]; then echo ok; else echo \"no answer from $1\"; fi ;;\n  60 | 77) echo \"curl does not trust the certificate of $1 (no CA certificates?)\" ;;\n  *) echo \"curl cannot reach $1 (code $rc)\" ;;\nesac\n",
	"s3-read-back": "# Reads one object straight from S3 and keeps nothing of it. $1 bytes, $2 SHA-256, $3 tries, $4 seconds without progress that\n# cut a try. Standard input: the URL, which stands in no argument, file or output here. An error unless these bytes come.\nset -u\nbytes=$1 sum=$2 tries=$3 stall=$4 try=1\nread -r url\nwhile :; do\n  # A cut or refused answer has other bytes: their SHA-256 tells, whatever the exit code.\n  got=$(curl -sS -f -K /dev/fd/3 --connect-timeout 10 --speed-limit 1000 --speed-time \"$stall\" 2>/dev/null 3<<CONFIG | sha256sum\nurl = \"$url\"\nCONFIG\n)\n  if [ \"${got%% *}\" = \"$sum\" ]; then echo \"read back $bytes\"; exit 0; fi\n  [ \"$try\" -lt \"$tries\" ] || { echo \"error S3 gave other bytes than were sent, or none, $try times\" >&2; exit 1; }\n  sleep \"$try\"\n  try=$((try + 1))\ndone\n",
	"s3-upload": "# Sends parts of a file straight to S3, several at once. $1 file, $2 size of a part in whole MiB of bytes, $3 tries, $4 seconds\n# without progress that cut a try, $5 parts at once. Of a file that is still being written also: $6 the name that it gets when\n# it is whole (`FILE.written` says it earlier), $7 seconds without growth, and $8 seconds in all, after which no more is awaited.\n# Standard input: lines `NUMBER URL`; a number of 0 is the probe: one byte to that URL with a wrong MD5. On standard output:\n# `probe CODE REASON`, `part NUMBER MD5 CODE REASON` (MD5 in base64), `whole BYTES` as soon as that is known, `sum SHA256` when\n# all of the file went up here: of the very bytes that the MD5s are of; at last `end WHY`.\n# The URL is a key: it stands in no argument, file or output here.\nset -u\nfile=$1 size=$2 tries=$3 stall=$4 lanes=$5 name=${6:-} idle=${7:-0} life=${8:-0}\nblock=1048576 why=sent body='' bytes='' fed=0 pids=''\nwork=$(mktemp -d) && mkfifo \"$work/free\" \"$work/stream\" || exit 1\ntrap 'rm -rf \"$work\"' EXIT\ntrap 'exit 1' TERM INT HUP\n\n# OpenSSL may not be there, or not be allowed to use MD5.\nif [ \"$(openssl md5 -binary </dev/null 2>/dev/null | base64)\" = 1B2M2Y8AsgTpgAmY7PhCfg== ]; then\n  md5() { openssl md5 -binary | base64; }\nelse\n  # base64 of a hexadecimal MD5: sh has no \\x, but octal escapes.\n  md5() {\n    hex=$(md5sum) && hex=${hex%% *}\n    while [ -n \"$hex\" ]; do\n      rest=${hex#??}\n      # shellcheck disable=SC2059 # the escape is the point\n      printf \"\\\\$(printf %03o \"0x${hex%\"$rest\"}\")\"\n      hex=$rest\n    done | base64\n  }\nfi\n\n# Seconds since boot: unlike the clock it is never set, and it costs no process.\nuptime() { read -r up _ </proc/uptime && up=${up%%.*}; }\n\n# One part of the file, from the page cache as a rule.\npart() { dd if=\"$body\" bs=\"$block\" skip=$((($1 - 1) * size / block)) count=$((size / block)) 2>/dev/null; }\n\nput() {\n  # $1 length, $2 base64 of the MD5, $3 URL; the body comes on standard input and is exactly as long.\n  curl -sS -K /dev/fd/3 -X PUT -T - -H 'Transfer-Encoding:' -H \"Content-Length: $1\" -H 'Expect:' -H 'Content-Type:' \\\n    --connect-timeout 10 --speed-limit 1000 --speed-time \"$stall\" -o \"$answer\" -w '%{http_code}' 3<<CONFIG 2>/dev/null\nurl = \"$3\"\nheader = \"Content-MD5: $2\"\nCONFIG\n}\n\nreason() {\n  sed -n 's/.*<Code>\\([A-Za-z]*\\)<\\/Code>.*/\\1/p' \"$answer\" | head -n 1\n}\n\n# A store may notice its own failure only after it has begun to answer with 200.\nmeant() {\n  : \"${code:=000}\"\n  if [ \"$code\" = 200 ] && grep -q '<Error>' \"$answer\"; then code=500; fi\n}\n\nagain() {\n  case $1 in\n    000 | 408 | 429 | 5??) return 0 ;;\n    400) grep -q -E 'BadDigest|RequestTimeout|IncompleteBody|SlowDown' \"$answer\" ;;\n    *) return 1 ;;\n  esac\n}\n\nprobe() {\n  try=1 answer=$work/probe\n  while :; do\n    : >\"$answer\"\n    code=$(printf x | put 1 'AAAAAAAAAAAAAAAAAAAAAA==' \"$1\")\n    meant\n    case $code in 000 | 429 | 5??) [ \"$try\" -lt \"$tries\" ] || break ;; *) break ;; esac\n    sleep \"$try\"\n    try=$((try + 1))\n  done\n  echo \"probe $code $(reason)\"\n  [ \"$code\" = 400 ]\n}\n\n# send NUMBER LENGTH MD5 URL, beside others.\nsend() {\n  try=1 answer=$work/$1\n  while :; do\n    : >\"$answer\"\n    code=$(part \"$1\" | put \"$2\" \"$3\" \"$4\")\n    meant\n    if [ \"$code\" = 200 ] || [ \"$try\" -ge \"$tries\" ] || ! again \"$code\"; then break; fi\n    sleep $((try * try + $1 % 2))\n    try=$((try + 1))\n  done\n  # One that failed for good ends the batch: the rest would only wait as long to fail as well.\n  [ \"$code\" = 200 ] || : >\"$work/refused\"\n  echo \"part $1 $3 $code $(reason)\"\n  rm -f \"$answer\"\n  echo >&6\n}\n\n# The file is opened once: then it can be read to its end whatever becomes of its name.\nopen() {\n  for one in \"$file\" ${name:+\"$name\"}; do\n    if [ -e \"$one\" ] && exec 4<\"$one\"; then body=/proc/self/fd/4; return 0; fi\n  done\n  return 1\n}\n\n# grown NUMBER: waits until the file has this part, and sets its `length`; 1, with the reason in `why`, when it never will.\ngrown() {\n  from=$((($1 - 1) * size)) quiet=0 had=''\n  while :; do\n    # Whether it is whole is asked before its size: what was there before is all.\n    all=''\n    if [ -z \"$name\" ] || [ -e \"$name\" ] || [ -e \"$file.written\" ]; then all=yes; fi\n    have=0\n    if [ -n \"$body\" ] || open; then\n      have=$(stat -L -c %s \"$body\") || have=0\n    elif [ -n \"$all\" ]; then\n      why=gone\n      return 1\n    fi\n    if [ -n \"$all\" ] && [ -z \"$bytes\" ]; then bytes=$have; echo \"whole $bytes\"; fi\n    length=$((have - from))\n    if [ \"$length\" -ge \"$size\" ]; then length=$size; return 0; fi\n    if [ -n \"$all\" ]; then\n      if [ \"$length\" -gt 0 ] || [ \"$1\" = 1 ]; then return 0; fi\n      why=whole\n      return 1\n    fi\n    if [ -n \"$body\" ] && [ ! -e \"$file\" ] && [ ! -e \"$name\" ]; then why=gone; return 1; fi\n    if [ -e \"$work/refused\" ]; then why=refused; return 1; fi\n    if [ \"$have\" != \"$had\" ]; then quiet=0 had=$have; fi\n    quiet=$((quiet + 1))\n    if [ \"$quiet\" -gt $((idle * 2)) ]; then why=idle; return 1; fi\n    uptime\n    if [ $((up - began)) -ge \"$life\" ]; then why=old; return 1; fi\n    sleep 0.5\n  done\n}\n\nuptime\nbegan=$up\nexec 6<>\"$work/free\"\nnumber=0\nwhile [ \"$number\" -lt \"$lanes\" ]; do echo >&6; number=$((number + 1)); done\nsha256 <\"$work/stream\" >\"$work/sum\" & summing=$!\nexec 7>\"$work/stream\"\nend=0\nwhile read -r number url; do\n  if [ \"$number\" = 0 ]; then\n    probe \"$url\" || { why=refused; break; }\n    continue\n  fi\n  grown \"$number\" || break\n  if [ \"$number\" = $((fed + 1)) ]; then\n    sum=$(part \"$number\" | tee \"$work/stream\" | md5)\n    fed=$number end=$((from + length))\n  else\n    sum=$(part \"$number\" | md5)\n  fi\n  read -r _ <&6\n  [ ! -e \"$work/refused\" ] || break\n  send \"$number\" \"$length\" \"$sum\" \"$url\" 7>&- &\n  pids=\"$pids $!\"\ndone\nfor pid in $pids; do wait \"$pid\"; done\nexec 7>&-\nwait \"$summing\"\nif [ -e \"$work/refused\" ]; then\n  why=refused\nelif [ -n \"$bytes\" ] && [ \"$end\" = \"$bytes\" ] && [ \"$why\" != refused ]; then\n  read -r sum _ <\"$work/sum\"\n  echo \"sum $sum\"\n  why=whole\nfi\necho \"end $why\"\n",
	"set-aside": "# Runs as root in a container: gives a data directory another name, and puts an empty one with the same owner in its\n# place. $1 the parent folder, $2 the directory's name, $3 its name aside.\nset -eu\ncd \"$1\"\n[ ! -e \"./$3\" ] || { echo \"$3 is there already\" >&2; exit 1; }\n[ -d \"./$2\" ] || { echo \"$2 is no directory\" >&2; exit 1; }\nowner=$(stat -c %u:%g \"./$2\")\nmv \"./$2\" \"./$3\"\nmkdir -m 700 \"./$2\"\nchown \"$owner\" \"./$2\"\nsync\n",
	"sha256": "# shellcheck shell=sh\n# The SHA-256 of standard input as the first word of a line. OpenSSL uses the processor's own instructions where it has\n# them, which is several times as fast as sha256sum.\nsha256() {\n  if command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r; else sha256sum; fi\n}\n",
	"store-accept": "# Gives a file that has come in as `PATH.partial` its name when it is right. $1 directory of backups, $2 path in it,\n# $3 bytes, $4 SHA-256. A right file that is there already stays; a damaged one is moved aside.\nset -eu\ncd \"$1\"\nbytes=$3 sum=$4\nright() { [ \"$(stat -c %s \"$1\")\" = \"$bytes\" ] && [ \"$(sha256sum <\"$1\" | cut -d' ' -f1)\" = \"$sum\" ]; }\nif [ -e \"$2\" ] && right \"$2\"; then rm -f \"$2.partial\"; exit 0; fi\nif ! right \"$2.partial\"; then\n  rm -f \"$2.partial\"\n  echo \"error $2 came in with other bytes than its manifest says\" >&2\n  exit 1\nfi\nchmod 600 \"$2.partial\"\n# Before the damaged one goes: then there is hardly a moment without a file of this name.\nsync \"$2.partial\"\nif [ -e \"$2\" ]; then mv \"$2\" \"$2.damaged.$(date +%s)\"; fi\nmv \"$2.partial\" \"$2\"\nsync \"$(dirname \"$2\")\"\n",
	"store-below": "# Files of backups that begin with one of some stems. $1 directory of backups, $2.. `FOLDER/BEGINNING`. One path a line.\nset -eu\n[ -d \"$1\" ] || exit 0\ncd \"$1\"\nshift\nfor stem; do\n  for one in \"$stem\"*; do\n    if [ -f \"$one\" ]; then printf '%s\\n' \"$one\"; fi\n  done\ndone\n",
	"store-clean": "# Makes the directory of backups ready: $1, with the folders in it, mode 700. Removes half written files that nobody has\n# written to for a day, and prints what went: another project or environment may have its backups here as well, and a lock of its own.\nset -eu\numask 077\nmkdir -p \"$1\"\ncd \"$1\"\nmkdir -p postgres dragonfly metadata\nchmod 700 . postgres dragonfly metadata\nfind . -mindepth 2 -maxdepth 2 -type f \\( -name '*.partial' -o -name '*.partial.*' \\) -mmin +1440 | while read -r one; do\n  rm -f \"$one\"\n  echo \"${one#./}\"\ndone\n",
	"store-discard": "# Removes the files of a backup that was never published. $1 directory of backups, $2 where its manifest would lie, $3..\n# the files. One with a manifest is a backup: it is not touched.\nset -eu\n[ -d \"$1\" ] || exit 0\ncd \"$1\"\nif [ -e \"$2\" ]; then echo \"error $2 is there: this backup is published and stays\" >&2; exit 1; fi\nshift 2\nfor one; do rm -f \"$one\" \"$one.partial\"; done\n",
	"store-left": "# Files beside the backups that are none: what was replaced by a good copy, and what was half written. $1 directory of\n# backups. Lines `BYTES SECONDS PATH`, the time of the last change and the path in base64, then `now` and the host's time.\nset -eu\nif [ -d \"$1\" ]; then\n  cd \"$1\"\n  for one in postgres/*.damaged.* dragonfly/*.damaged.* postgres/*.partial* dragonfly/*.partial* metadata/*.partial*; do\n    [ -f \"$one\" ] || continue\n    printf '%s %s\\n' \"$(stat -c '%s %Y' \"$one\")\" \"$(printf %s \"$one\" | base64 | tr -d '\\n')\"\n  done\nfi\necho \"now $(date +%s)\"\n",
	"store-list": "# Every file `$2-*.json` in $1, or the $3 whose names sort last of those that end in $4, a line `NAME BYTES CONTENT` each, name and content in base64:\n# whatever one of them holds, the others can be read. BYTES is -1 of one that cannot be. A directory that is not there holds\n# none; one that cannot be read is an error.\nset -eu\n[ -e \"$1\" ] || { echo end; exit 0; }\ncd \"$1\"\nls >/dev/null\nword=$2 most=${3:-0} tail=${4:-.json}\nset -- \"$word\"-*\"$tail\"\nskip=$(($# - most))\n[ \"$most\" -gt 0 ] || skip=0\nfor one; do\n  [ \"$skip\" -le 0 ] || { skip=$((skip - 1)); continue; }\n  bytes=$(wc -c 2>/dev/null <\"$one\") || bytes=-1\n  # Gone since, or the pattern itself; a link to nothing is there.\n  [ -e \"$one\" ] || [ -h \"$one\" ] || continue\n  printf '%s %s ' \"$(printf %s \"$one\" | base64 | tr -d '\\n')\" \"$((bytes))\"\n  [ \"$bytes\" = -1 ] || base64 <\"$one\" | tr -d '\\n'\n  echo\ndone\necho end\n",
	"store-publish": "# Gives finished files their final names. $1 directory of backups, $2.. paths in it: `PATH.partial` becomes `PATH`. A file\n# that is already there is never replaced.\nset -eu\ncd \"$1\"\nshift\nfor one; do\n  if [ -e \"$one\" ]; then echo \"error $one is already there\" >&2; exit 1; fi\ndone\nfor one; do\n  chmod 600 \"$one.partial\"\n  sync \"$one.partial\"\n  mv \"$one.partial\" \"$one\"\ndone\nfor one; do sync \"$(dirname \"$one\")\"; done\n",
	"store-remove": "# Removes a backup: $1 directory of backups, $2 the manifest, $3.. the files it names. The manifest goes first and for\n# good: from then on the backup does not exist, whatever happens next.\nset -eu\ncd \"$1\"\nrm -f \"$2\"\nsync \"$(dirname \"$2\")\"\nshift 2\nfor one; do rm -f \"$one\"; done\n",
	"store-verify": "# What files of a backup really hold. $1 directory of backups, $2.. paths in it. Lines `BYTES SHA256 PATH`, or `- - PATH`\n# for one that is not there or cannot be read.\ncd \"$1\" 2>/dev/null || { shift; for one; do echo \"- - $one\"; done; exit 0; }\nshift\nfor one; do\n  if sum=$(sha256 <\"$one\" 2>/dev/null); then\n    echo \"$(($(wc -c <\"$one\"))) ${sum%% *} $one\"\n  else\n    echo \"- - $one\"\n  fi\ndone\n",
	"store-write": "# Publishes one small file. $1 directory of backups, $2 path in it, $3 its length in bytes; the content comes on standard\n# input. It is whole under its final name or not there at all.\nset -eu\numask 077\nmkdir -p \"$1/$(dirname \"$2\")\"\ncd \"$1\"\nchmod 700 . \"$(dirname \"$2\")\"\nif [ -e \"$2\" ]; then echo \"error $2 is already there\" >&2; exit 1; fi\ntrap 'rm -f \"$2.partial\"' EXIT\ncat >\"$2.partial\"\n[ \"$(($(wc -c <\"$2.partial\")))\" = \"$3\" ] || { echo \"error $2 came in cut short\" >&2; exit 1; }\nsync \"$2.partial\"\nmv \"$2.partial\" \"$2\"\nsync \"$(dirname \"$2\")\"\n",
	"stun-probe": "# Sends a STUN binding request (RFC 8489 6) to a TURN server. $1 = container id, $2 = port inside it,\n# $3 = address of the container as the host sees it, $4 = seconds to wait.\n# Prints the way that was taken and ends with 0 when a binding response came;\n# 10: neither the container nor the host has a program to ask with; 11: no answer.\ncontainer=$1 port=$2 address=$3 wait=$4\nsaid=$(timeout -k 1 \"$wait\" docker exec \"$container\" turnutils_stunclient -p \"$port\" 127.0.0.1 2>&1)\ncode=$?\ncase $said in\n  *\"reflexive addr\"*) echo turnutils_stunclient; exit 0 ;;\nesac\n# 126 and 127: the program is not in the image. Anything else is the server's silence.\nif [ \"$code\" -ne 126 ] && [ \"$code\" -ne 127 ]; then\n  printf '%s\\n' \"$said\" | tail -n 1 >&2\n  exit 11\nfi\ncommand -v nc >/dev/null 2>&1 || exit 10\n# Type 0x0001, length 0, magic cookie, twelve bytes of transaction id; the answer's type is 0x0101.\nanswer=$(printf '\\000\\001\\000\\000\\041\\022\\244\\102infra-action' | timeout -k 1 \"$wait\" nc -u -w 1 \"$address\" \"$port\" | od -An -tx1 -N2 | tr -d ' \\n')\n[ \"$answer\" = 0101 ] || exit 11\necho nc\n"
};
function remoteScript(name) {
	const text = texts$1[name];
	if (text === void 0) throw new Error("no remote script " + name);
	return text;
}

// src/service/http-status.ts
/** Asks a URL from the host, with its curl or else its wget; `timeout` in milliseconds. Redirects are not followed. */
async function askUrl(host, url, timeout) {
	const seconds = Math.max(1, Math.ceil(timeout / 1e3));
	const command = script("read", remoteScript("http-probe"), [url, seconds]);
	const { code, stdout, stderr } = await host.run(command, {
		allow: "any",
		timeout: timeout + 1e4
	});
	if (code === 10) return {
		kind: "unable",
		reason: "the host has neither curl nor wget"
	};
	const [, status, taken] = /^(\d{3}) ([\d.]*)\s*$/.exec(stdout) ?? [];
	if (code !== 0 || status === void 0 || status === "000") return {
		kind: "unreachable",
		reason: stderr.trim().split("\n").at(-1) || `exit code ${code}`
	};
	return {
		kind: "answered",
		status: Number(status),
		milliseconds: taken ? Number(taken) * 1e3 : void 0
	};
}

// src/job/deploy-app/health-url.ts
/**
* Asks `app.health-url` from the host until it answers well, five times at most, two seconds apart. Fails with
* `health-url-unreachable` or `health-url-wrong`: no answer and a wrong one are two different things. Does nothing without
* a URL; a host that has nothing to ask with is warned of.
*/
async function assertAnswers(tools) {
	const url = tools.config.app["health-url"];
	if (url === void 0) return;
	await tools.work.check("health-url", () => ask$4(tools, url), void 0);
}
async function ask$4(tools, url) {
	for (let left = 4;; left--) {
		const answer = await askUrl(tools.host, url, 1e4);
		if (answer.kind === "unable") {
			tools.log.warning(`${url} was not asked: ${answer.reason}`);
			return;
		}
		if (answer.kind === "answered" && answer.status >= 200 && answer.status < 300) return;
		if (left === 0) throw answer.kind === "answered" ? failure("health-url-wrong", `${url} answered ${answer.status}`) : failure("health-url-unreachable", `${url} cannot be reached from the host: ${answer.reason}`, { hint: "When the old release answers there, the new one does not listen; else correct app.health-url." });
		await tools.clock.sleep(2e3, tools.signal);
	}
}

// src/job/deploy-app/in-place.ts
/** Why two copies of a service cannot run side by side; undefined when they can. */
function whyAlone(service) {
	if (service.hasContainerName) return "it has a container_name";
	const [port] = service.publishedPorts;
	if (port) return `it publishes port ${port.published}`;
	return service.networks.length === 0 ? "it is in the host's network" : void 0;
}
/** Replaces a service of which two copies cannot run side by side: it is away from its stop until it is healthy again. */
async function replaceInPlace(tools, service, images) {
	const { name } = service;
	tools.log.warning(`${name} is replaced with an interruption: two copies of it cannot run side by side`);
	const up = tools.stack.up([name], {
		noDependencies: true,
		forceRecreate: true,
		pull: "never",
		images: references(images, [name])
	});
	await tools.work.step(`replace-${name}`, up, { timeout: 3e5 + service.stopGracePeriod });
	const copies = await tools.work.check(`find-${name}`, () => copiesOf$1(tools, [service]), void 0);
	if (copies) await waitForCopies(tools, [service], {
		images,
		copies,
		step: `wait-${name}`
	});
}
/** Puts back the images that these services ran before; one that did not exist before is removed. */
async function putBackInPlace(tools, services, before) {
	for (const service of services.toReversed()) {
		const { name } = service;
		const previous = before.find((one) => one.service === name);
		if (!previous) {
			const copies = await copiesOf$1(tools, [service]);
			if (copies.length === 0) continue;
			await tools.work.step(`stop-${name}`, tools.stack.stop(copies));
			await tools.work.step(`remove-${name}`, tools.stack.remove(copies));
			continue;
		}
		const up = tools.stack.up([name], {
			noDependencies: true,
			forceRecreate: true,
			pull: "never",
			images: { [name]: previous.imageId }
		});
		await tools.work.step(`put-back-${name}`, up, { timeout: 3e5 + service.stopGracePeriod });
		await tools.work.check(`wait-back-${name}`, () => waitHealthy(tools, [service]), void 0);
	}
}

// src/core/release.ts
const imageSchema = require_libraries.strictObject({
	service: require_libraries.string$1().min(1),
	/** As it was asked for: `registry/app:1.4`. */
	reference: require_libraries.string$1().min(1),
	/** `repository@sha256:...`; absent for an image that never was in a registry. */
	digest: require_libraries.string$1().regex(/^\S+@sha256:[0-9a-f]{64}$/).optional(),
	/** What ran when the release was recorded: `sha256:...`. */
	imageId: require_libraries.string$1().regex(/^sha256:[0-9a-f]{64}$/)
});
const releaseKinds = [
	"deploy",
	"rollback",
	"recreate"
];
/** A release's name: also part of an image tag, `release-<id>`. */
const releaseIdSchema = require_libraries.string$1().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, "use letters, digits, `_`, `.` and `-`, 100 at most");
const releaseSchema = require_libraries.strictObject({
	format: require_libraries.literal(1),
	id: releaseIdSchema,
	kind: require_libraries._enum(releaseKinds),
	time: require_libraries.datetime(),
	/** Empty when the release was made outside of a repository: then it is not known what is deployed. */
	commit: require_libraries.string$1().regex(/^([0-9a-f]{40}|[0-9a-f]{64})?$/),
	images: require_libraries.array(imageSchema),
	run: require_libraries.strictObject({
		id: require_libraries.string$1(),
		url: require_libraries.string$1(),
		actor: require_libraries.string$1()
	}),
	status: require_libraries._enum(["good", "bad"]),
	/** Backup made right before; retention keeps it as long as one can go back over this release. */
	backup: require_libraries.string$1().optional(),
	/** One line: why it is bad, or what it was. */
	note: require_libraries.string$1().optional()
});
/** `20260131-020000-1a2b3c4`: sorts by time and names the commit. */
function releaseId(time, commit) {
	const stamp = time.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
	return commit === "" ? stamp : `${stamp}-${commit.slice(0, 7)}`;
}
/** The text to append to the history. It begins with a newline, so that a torn line before it does not swallow it. */
function formatRelease(release) {
	return `\n${JSON.stringify(releaseSchema.parse(release))}\n`;
}
/** Reads the history. Never throws: what cannot be read is told. An empty text is an empty history. */
function parseReleases(text) {
	const releases = /* @__PURE__ */ new Map();
	const bad = [];
	const lines = text.split("\n");
	for (const [index, line] of lines.entries()) {
		if (line.trim() === "") continue;
		const release = parseLine(line);
		if (release) releases.set(release.id, release);
		else bad.push(index + 1);
	}
	const torn = bad.at(-1) === lines.length;
	return {
		releases: [...releases.values()],
		unreadable: torn ? bad.slice(0, -1) : bad,
		torn
	};
}
/** The release that the app runs now: the newest good deploy or rollback. */
function currentRelease(history) {
	return history.releases.findLast(isGoodApp);
}
/**
* Where a rollback goes: the newest good release before the current one with other images. Known-bad releases are
* skipped. Undefined: there is nothing to go back to, and a rollback must refuse.
*/
function previousRelease(history) {
	const current = currentRelease(history);
	if (!current) return void 0;
	return history.releases.slice(0, history.releases.indexOf(current)).findLast((release) => isGoodApp(release) && imageKey(release) !== imageKey(current));
}
/** Deployed commit per component: that of its last good release, not of the last run. */
function deployedCommits(history) {
	return {
		infra: history.releases.findLast(({ kind, status }) => kind === "recreate" && status === "good")?.commit || void 0,
		app: currentRelease(history)?.commit || void 0
	};
}
/** Backups that the current and the previous release point to: retention leaves them alone (S8). */
function backupsInUse(history) {
	const used = [currentRelease(history), previousRelease(history)].flatMap((release) => release?.backup ?? []);
	return new Set(used);
}
function parseLine(line) {
	try {
		return releaseSchema.safeParse(JSON.parse(line)).data;
	} catch {
		return;
	}
}
function isGoodApp({ kind, status }) {
	return status === "good" && kind !== "recreate";
}
function imageKey({ images }) {
	return images.map(({ service, imageId }) => `${service}=${imageId}`).sort().join(" ");
}

// src/job/release-history.ts
/** The release history of this environment on the host; empty when there is none yet. Lines that cannot be read are warned of. */
async function readHistory(tools) {
	const { releases } = tools.layout;
	const { stdout } = await tools.host.run(sh`if test -e ${releases}; then cat ${releases}; fi`);
	const history = parseReleases(stdout);
	for (const line of history.unreadable) tools.log.warning(`${releases}: line ${line} cannot be read and is left out`);
	return history;
}
/** Appends one release, durably, and in the same step does what may come only after that. */
async function recordRelease(tools, release, after) {
	const { releases, state } = tools.layout;
	const record = change`mkdir -p -m 700 -- ${state} && printf '%s' ${formatRelease(release)} >>${releases} && sync ${releases}`;
	await tools.work.step("record-release", after ? change`${record} && ${after}` : record);
}

// src/job/deploy-app/keep-release.ts
/**
* Keeps the release's images for a rollback by a tag of their own (a tag beside the digest keeps both from being
* pruned), and makes them what every later `up` starts.
*/
async function keepImages(tools, { release, images }) {
	const tags = [...images.values()].flatMap((image) => {
		const repository = repositoryOf(image.asked);
		return /^(sha256|[0-9a-f]{64}$)/.test(repository) ? [] : [change`docker tag ${image.id} ${`${repository}:release-${release.id}`} || exit`];
	});
	const file = deployedImagesFile(tools.config);
	const override = imagesOverride(references(images, [...images.keys()]));
	await tools.work.step("tag-release", lines$1(...tags, writeText(file, override)));
}
/** The last act of a deployment: the note of an unfinished one goes away with it. */
async function recordGood(tools, { release, images }) {
	await recordRelease(tools, {
		...entry(tools, release, images),
		status: "good"
	}, forgetUnfinished(tools.layout));
}
/** Recorded too, so that nobody goes back to it; the note of an unfinished deployment goes away with it. */
async function recordBad(tools, { release, images, why }) {
	const bad = {
		...entry(tools, release, images),
		status: "bad",
		note: oneLine(why)
	};
	await recordRelease(tools, bad, forgetUnfinished(tools.layout));
}
function entry(tools, release, images) {
	if (images.length === 0) throw failure("no-images", "a release without images cannot be recorded");
	return {
		format: 1,
		id: release.id,
		kind: "deploy",
		time: tools.clock.now().toISOString(),
		commit: release.commit,
		images: [...images],
		run: {
			id: tools.run.id,
			url: tools.run.url,
			actor: tools.run.actor
		}
	};
}
function oneLine(text) {
	return text.replaceAll(/\s+/g, " ").slice(0, 500);
}

// src/job/deploy-app/upstream.ts
/** First port of the loopback servers, one for each copy; only reachable inside the proxy's container. */
const loopback = 8001;
/** Reads an upstream file, of either shape that `renderUpstream` writes or of a person's simple one. */
function parseUpstream(text) {
	const lines = text.replaceAll(/#.*$/gm, "");
	const copies = [...lines.matchAll(/set\s+\$copy\s+"?([\w.-]+)(?::\d+)?"?\s*;/g)].map(([, name]) => name ?? "");
	const servers = [...lines.matchAll(/(?<=^|[\s{;])server\s+([\w.-]+)(?::\d+)?[^;{}]*;/gm)].map(([, name]) => name ?? "").filter((name) => name !== "127.0.0.1");
	return {
		targets: [.../* @__PURE__ */ new Set([...copies, ...servers])],
		copySettings: /include\s+(\S+\/copy\.inc)\s*;/.exec(lines)?.[1]
	};
}
/**
* The upstream file that sends requests to these containers. With `copySettings` each copy stands in a loopback server
* of its own whose name is looked up at each request: nginx starts even when a copy is down. Without, its name stands in
* `upstream`, and nginx will not start while it cannot be resolved.
*/
function renderUpstream(names, options) {
	const { upstream, port, copySettings, release } = options;
	const head = `# Written by deploy-app, release ${release}. The next deployment writes it anew.`;
	if (copySettings === void 0) return text$1(head, `upstream ${upstream} {`, ...names.map((name) => `  server ${name}:${port};`), "}");
	const addresses = names.map((_, index) => `127.0.0.1:${loopback + index}`);
	return text$1(head, `upstream ${upstream} {`, ...addresses.map((address) => `  server ${address};`), "}", ...names.flatMap((name, index) => [
		"server {",
		`  listen ${addresses[index]};`,
		`  set $copy ${name}:${port};`,
		`  include ${copySettings};`,
		"}"
	]));
}
function text$1(...lines) {
	return `${lines.join("\n")}\n`;
}

// src/job/deploy-app/proxy.ts
/** Seconds until nginx's old workers must have stopped accepting after a reload. */
const handover = 30;
/**
* The proxy as it runs; undefined where none is configured. Refuses when it cannot do a switch: not running, or the
* upstream file's folder not mounted (a file mounted by itself keeps its old content).
*/
async function findProxy(tools, services) {
	const { proxy, "proxied-service": named } = tools.config.app;
	if (!proxy) return void 0;
	const service = named ?? services[0] ?? "";
	if (!services.includes(service)) throw refusal("proxied-service-unknown", `app.proxied-service ${service} is none of the app's services`, { hint: `Name one of: ${services.join(", ")}.` });
	const file = node_path.posix.join(tools.layout.base, proxy["upstream-file"]);
	const [containers, { stdout }] = await Promise.all([tools.stack.containers(proxy.service), tools.host.run(sh`if [ -e ${file} ]; then cat ${file}; fi`)]);
	const container = containers.find((one) => one.state === "running");
	if (!container) throw refusal("proxy-down", `the proxy (app.proxy.service ${proxy.service}) is not running`, { hint: "Start it, or run debug: without it nobody can be sent to the new copies. Nothing was changed." });
	assertFolderMounted(container, file);
	return {
		container,
		service,
		file,
		now: parseUpstream(stdout)
	};
}
/** Sends all new requests to these containers, or fails with everything as it was. */
async function switchProxy(tools, proxy, copies, options) {
	const { upstream = "app" } = tools.config.app.proxy ?? {};
	const content = renderUpstream(copies.map((one) => one.name), {
		upstream,
		port: tools.config.app.port,
		copySettings: proxy.now.copySettings,
		release: options.release
	});
	const arguments_ = [
		proxy.container.id,
		proxy.file,
		content,
		handover
	];
	await tools.work.step(options.step, script("change", remoteScript("proxy-switch"), arguments_), { timeout: 12e4 });
}
/** Waits until nobody is connected to these copies any more, at most `app.drain`. Says what was cut. */
async function drain$1(tools, proxy, copies, step) {
	const running = copies.filter((one) => one.service === proxy.service && one.state === "running");
	if (running.length === 0) return;
	const { drain: limit, port } = tools.config.app;
	const seconds = Math.ceil(limit / 1e3);
	const ids = running.map((one) => one.id);
	const look = script("read", remoteScript("drain-copies"), [
		port,
		seconds,
		proxy.container.imageId,
		...ids
	]);
	const { stdout } = await tools.work.step(step, look, {
		timeout: limit + 9e4,
		assume: "drained"
	});
	const [word, count] = (stdout.trim().split("\n").at(-1) ?? "").split(" ");
	if (word === "drained") return;
	tools.log.warning(word === "cut" ? `${count} connections to the old copies were still open after ${seconds} s and are cut` : `The connections to the old copies could not be counted; they had ${seconds} s to end`);
}
/** Whether requests go to exactly these containers, each by its own name. */
function sendsTo({ now }, copies) {
	const names = copies.map((one) => one.name);
	return names.length === now.targets.length && names.every((name) => now.targets.includes(name));
}
function assertFolderMounted(container, file) {
	const mounts = container.mounts.map((mount) => mount.source.replace(/\/+$/, ""));
	if (mounts.includes(file)) throw refusal("proxy-file-mounted", `the upstream file ${file} is mounted into the proxy by itself`, { hint: "Mount its folder: a file mounted by itself keeps its old content when a new one is renamed into its place." });
	if (!mounts.some((source) => file.startsWith(`${source}/`))) throw refusal("proxy-folder-not-mounted", `no mount of the proxy holds the upstream file ${file}`, { hint: "Correct app.proxy.upstream-file, or mount its folder into the proxy." });
}

// src/job/deploy-app/settle-unfinished.ts
/**
* Ends what an interrupted deployment left: two sets of copies. When requests already go to the new ones and they answer
* well (without a proxy: when the old ones began to be stopped), the old ones are drained and removed and the release is
* recorded as good; otherwise the new ones are removed. Either way one set is left, and the action at hand goes on from there.
*/
async function settleUnfinished(tools, services) {
	const note = await readUnfinished(tools);
	if (!note) return;
	const beside = services.filter((one) => whyAlone(one) === void 0);
	const copies = await copiesOf$1(tools, beside);
	const old = copies.filter((one) => note.old.includes(one.id));
	const fresh = copies.filter((one) => !note.old.includes(one.id));
	tools.log.warning(`Release ${note.release} was interrupted: ${old.length} old and ${fresh.length} new containers are there`);
	const names = beside.map((one) => one.name);
	const sets = {
		release: note.release,
		old,
		fresh
	};
	if (fresh.length > 0 && await tookOver(tools, names, {
		note,
		old,
		fresh
	})) {
		if (old.length > 0) await goForward(tools, names, sets);
		if (names.every((name) => fresh.some((one) => one.service === name && isServing(one)))) {
			await keepSettled(tools, note, await copiesOf$1(tools, services));
			tools.log.warning(`Release ${note.release} serves: its deployment was finished`);
			return;
		}
	} else if (old.length > 0 && fresh.length > 0) {
		await goBack$2(tools, names, sets);
		tools.log.warning(`Release ${note.release} was taken back: what ran before it serves`);
	}
	await tools.work.step("settle-release", forgetUnfinished(tools.layout));
}
/**
* The same for the actions that deploy nothing: whatever comes next ends an interrupted deployment. What cannot be ended
* is told, and the note of it stays: the action at hand may be the cure.
*/
async function settleDeployment(tools) {
	if (!await readUnfinished(tools)) return;
	const services = (await tools.stack.servicesOf("app")).filter((one) => !one.oneShot);
	try {
		await tools.log.group("ending an interrupted deployment", () => settleUnfinished(tools, services));
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		tools.log.warning(`An interrupted deployment could not be ended, the next one goes on with it: ${messageOf(error)}`);
	}
}
async function keepSettled(tools, note, serving) {
	const images = /* @__PURE__ */ new Map();
	for (const one of serving) images.set(one.service, await imageOf$1(tools.host, one));
	const release = {
		id: note.release,
		commit: note.commit
	};
	await keepImages(tools, {
		release,
		images
	});
	await recordGood(tools, {
		release,
		images: releaseImages(images)
	});
}
async function tookOver(tools, names, { note, old, fresh }) {
	if (!old.some(isServing)) return true;
	if (!fresh.every(isServing)) return false;
	const proxy = await findProxy(tools, names);
	if (proxy) return fresh.some((one) => proxy.now.targets.includes(one.name)) && await answersWell(tools);
	return note.old.some((id) => !old.some((one) => one.id === id && isServing(one)));
}
/** The way back is still there: the last look before the old copies go must be the one that a deployment takes. */
async function answersWell(tools) {
	try {
		await assertAnswers(tools);
		return true;
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		tools.log.warning(`The interrupted release does not answer well: ${messageOf(error)}`);
		return false;
	}
}
async function goForward(tools, names, sets) {
	const { release, old, fresh } = sets;
	const proxy = await findProxy(tools, names);
	const proxied = fresh.filter((one) => one.service === proxy?.service);
	if (proxy && proxied.length > 0) {
		await switchProxy(tools, proxy, proxied, {
			step: "settle-proxy",
			release
		});
		await drain$1(tools, proxy, old, "drain-leftovers");
	}
	await removeCopies(tools, old, {
		stop: "stop-leftovers",
		remove: "remove-leftovers"
	});
}
async function goBack$2(tools, names, sets) {
	const { release, old, fresh } = sets;
	const proxy = await findProxy(tools, names);
	const proxied = old.filter((one) => one.service === proxy?.service && isServing(one));
	if (proxy && proxied.length > 0) {
		await switchProxy(tools, proxy, proxied, {
			step: "settle-proxy",
			release
		});
		await drain$1(tools, proxy, fresh, "drain-leftovers");
	}
	await removeCopies(tools, fresh, {
		stop: "stop-leftovers",
		remove: "remove-leftovers"
	});
}
function isServing({ state, health = "healthy" }) {
	return state === "running" && health === "healthy";
}

// src/job/data-presence.ts
/**
* Whether the places where these services keep their data hold anything: every writable directory or volume of the
* definition and of the container, and where these hold nothing, the container itself: what a server has not saved yet, or
* keeps on no volume. A place that cannot be looked into counts as full: what might be data is protected like data.
*/
async function dataPresence(tools, services) {
	const { volumes } = await tools.stack.definition();
	const places = services.flatMap((one) => [...new Set(placesOf(one, volumes))].map((place) => ({
		service: one.service.name,
		place
	})));
	const image = services.find((one) => one.container)?.container?.imageId ?? services[0]?.definition.image ?? "";
	const look = script("read", remoteScript("data-places"), [image, ...places.map((one) => one.place)]);
	const answers = places.length === 0 ? [] : await answersOf(tools, look, places.length);
	if (answers.length !== places.length) throw failure("data-places", `${places.length} places were to be looked at, ${answers.length} answers came`);
	const looked = places.map((one, index) => ({
		...one,
		...judge$1(answers[index] ?? "")
	}));
	const empty = services.filter(({ service }) => !looked.some((one) => one.service === service.name && one.present));
	return [...looked, ...(await Promise.all(empty.map(inContainer))).flat()];
}
async function answersOf({ host }, look, places) {
	const { stdout } = await host.run(look, { timeout: 6e4 + places * 35e3 });
	return stdout.trimEnd().split("\n");
}
/** What a container holds whose places are empty. */
async function inContainer({ service, container, driver }) {
	if (!container || container.state === "created") return [];
	const found = {
		service: service.name,
		place: `the container ${container.name}`
	};
	if (container.state !== "running") return !container.mounts.some((mount) => mount.writable) ? [{
		...found,
		present: true,
		doubt: "it has no volume and does not run"
	}] : [];
	try {
		const facts = await driver.fingerprint?.(service, container);
		const counts = Object.values(facts?.atLeast ?? {});
		return facts && (service.kind === "postgres" || counts.some((count) => count > 0)) ? [{
			...found,
			present: true,
			doubt: void 0
		}] : [];
	} catch (error) {
		if (error instanceof HostError) throw error;
		return [{
			...found,
			present: true,
			doubt: messageOf(error)
		}];
	}
}
function placesOf({ definition, container }, volumes) {
	const defined = definition.volumes.filter((mount) => !mount.readOnly && (mount.type === "bind" || mount.type === "volume")).map(({ source }) => {
		const volume = volumes.find((one) => one.key === source);
		return volume?.device ?? volume?.name ?? source;
	});
	const bound = new Set(volumes.flatMap((one) => one.device === void 0 ? [] : [one.name]));
	const mounted = (container?.mounts ?? []).filter((mount) => mount.writable && mount.type !== "tmpfs" && !bound.has(mount.volume ?? "")).map((mount) => mount.volume ?? mount.source);
	return [...defined, ...mounted].filter((place) => place !== "");
}
/** A file by itself is configuration, not a data directory. */
function judge$1(answer) {
	const [word, ...rest] = answer.split(" ");
	if (word === "full") return {
		present: true,
		doubt: void 0
	};
	if (word === "empty" || word === "absent" || word === "file") return {
		present: false,
		doubt: void 0
	};
	return {
		present: true,
		doubt: rest.join(" ") || "no answer"
	};
}

// src/core/config.ts
const name$2 = require_libraries.string$1().regex(/^[a-z0-9][a-z0-9_-]*$/, "use lower-case letters, digits, - and _, beginning with a letter or digit");
const path = require_libraries.string$1().startsWith("/", "use an absolute path on the host");
const patterns = require_libraries.array(require_libraries.string$1().min(1));
const serviceKinds = [
	"postgres",
	"dragonfly",
	"redis",
	"valkey",
	"openvidu",
	"coturn",
	"http",
	"container"
];
/** Kinds whose data directory must survive everything. */
const dataKinds = [
	"postgres",
	"dragonfly",
	"redis",
	"valkey"
];
const hostSchema = require_libraries.strictObject({
	address: require_libraries.string$1().min(1).describe("Name or address of the host; `local` runs on this machine without SSH."),
	user: require_libraries.string$1().default("root").describe("User to log in as; needs the right to use Docker."),
	port: require_libraries.int().min(1).max(65535).default(22),
	jump: require_libraries.strictObject({
		address: require_libraries.string$1(),
		user: require_libraries.string$1().default("root"),
		port: require_libraries.int().default(22)
	}).optional().describe("Host to go through."),
	directory: path.optional().describe("Base directory on the host; `/opt/<project>` unless told.")
});
const composeSchema$1 = require_libraries.strictObject({
	files: require_libraries.array(require_libraries.string$1()).min(1).default(["docker-compose.prod.yml"]).describe("Compose files on the host, relative to the base directory."),
	"env-file": require_libraries.string$1().default(".env.production").describe("Environment file on the host, relative to the base directory."),
	upload: require_libraries.array(require_libraries.string$1().regex(/^(?!\/|.*\.\.)/, "use a path below the folder of infra.yml, without `..`")).default([]).describe("Files of the checkout, relative to infra.yml, that recreate puts at the same path below the base directory: the compose files, a proxy's configuration."),
	profiles: require_libraries.strictObject({
		infrastructure: require_libraries.string$1().default("infrastructure"),
		app: require_libraries.string$1().default("app")
	}).prefault({})
});
const pathsSchema = require_libraries.strictObject({
	infra: patterns.default([
		"docker-compose*.yml",
		"docker/",
		"devops/docker/",
		"infra.yml"
	]),
	app: patterns.default([
		"src/",
		"package.json",
		"package-lock.json",
		"yarn.lock",
		"tsconfig.json",
		"Dockerfile"
	]),
	migrations: patterns.default(["prisma/migrations/", "migrations/"])
});
const serviceSchema = require_libraries.strictObject({
	kind: require_libraries._enum(serviceKinds).optional().describe("Found from the image when absent."),
	databases: require_libraries.array(require_libraries.string$1()).min(1).optional().describe("Postgres databases to back up; every database that is not a template unless told."),
	"critical-tables": require_libraries.array(require_libraries.string$1()).default([]).describe("Tables, `schema.table`, that must exist and hold rows."),
	"sample-queries": require_libraries.array(require_libraries.string$1()).default([]).describe("Queries that must succeed and give at least one row."),
	url: require_libraries.url().optional().describe("Health URL of an http or openvidu service, seen from the host."),
	port: require_libraries.int().optional().describe("Port of a coturn service."),
	timeout: duration.default(1e4).describe("Limit of one probe.")
});
const appSchema = require_libraries.strictObject({
	services: require_libraries.array(require_libraries.string$1()).min(1).optional().describe("Services deployed as one unit; those of the app profile unless told."),
	"health-url": require_libraries.url().optional().describe("Checked from the host after a deploy."),
	proxy: require_libraries.strictObject({
		service: require_libraries.string$1().default("nginx"),
		"upstream-file": require_libraries.string$1().default("nginx/upstream/app.conf").describe("Relative to the base directory; its folder is mounted into the proxy."),
		upstream: require_libraries.string$1().default("app").describe("Name of the nginx upstream.")
	}).optional().describe("nginx in front of the first app service; without it copies are replaced one by one."),
	port: require_libraries.int().default(3e3).describe("Port on which the proxied service listens."),
	"proxied-service": require_libraries.string$1().optional().describe("Service behind the proxy; the first app service unless told."),
	drain: duration.default(35e3).describe("Longest wait for the old copy's connections to end."),
	"health-timeout": duration.default(12e4)
});
const s3Schema = require_libraries.strictObject({
	enabled: require_libraries.boolean().default(true),
	required: require_libraries.boolean().default(true).describe("Whether a failed upload fails the backup."),
	endpoint: require_libraries.url().refine((url) => !/^[a-z]+:\/\/[^/]*@/i.test(url), "a URL without user name and password, which are inputs").optional().describe("Of an S3-compatible store; AWS unless told."),
	region: require_libraries.string$1().default("us-east-1"),
	bucket: require_libraries.string$1().min(3),
	prefix: require_libraries.string$1().default("backups/"),
	"force-path-style": require_libraries.boolean().optional().describe("On unless told when an endpoint is given."),
	"server-side-encryption": require_libraries._enum(["s3", "kms"]).optional().describe("Have the store encrypt what it keeps, with its own keys (`s3`) or one of its key service (`kms`). Every object is looked at: one that is not encrypted so fails the backup."),
	"kms-key-id": require_libraries.string$1().min(1).optional().describe("Key of the key service; the store's default one unless told."),
	"storage-class": require_libraries.string$1().regex(/^[A-Z0-9_-]+$/, "use the store's own name, such as STANDARD_IA").optional().describe("Class in which backups are kept, as the store names it; it must give objects back at once."),
	"read-back": require_libraries.boolean().default(false).describe("Read every object to its end after it was stored: the strongest proof, at the cost of its traffic."),
	"immutable-days": require_libraries.int().min(1).max(3650).optional().describe("Days for which nobody can delete or change a backup in S3; the bucket must have object lock."),
	"immutable-mode": require_libraries._enum(["governance", "compliance"]).default("governance").describe("`compliance`: not even the bucket's owner can shorten the lock.")
}).refine((s3) => s3["kms-key-id"] === void 0 || s3["server-side-encryption"] === "kms", {
	path: ["kms-key-id"],
	message: "needs server-side-encryption: kms"
});
const retentionSchema = require_libraries.strictObject({
	last: require_libraries.int().min(0).default(0),
	daily: require_libraries.int().min(0).default(7),
	weekly: require_libraries.int().min(0).default(4),
	monthly: require_libraries.int().min(0).default(12)
});
/** How a Postgres backup is stored. */
const postgresFormats = [
	"custom",
	"directory",
	"plain"
];
const backupSchema = require_libraries.strictObject({
	directory: path.optional().describe("`<base directory>/backups` unless told."),
	retention: retentionSchema.prefault({}),
	"prune-first": require_libraries.boolean().default(false).describe("Remove before a backup what it pushes out on the host."),
	s3: s3Schema.optional(),
	encryption: require_libraries.strictObject({ "openpgp-key": require_libraries.string$1().includes("-----BEGIN PGP PUBLIC KEY BLOCK-----", { message: "use an armored public OpenPGP key" }).describe("Armored public key for which every copy in S3 is encrypted; the private one is input `backup-key` of restore, drill and pipeline.") }).optional(),
	verify: require_libraries._enum(["counts", "checksum"]).default("counts").describe("What a Postgres backup records and a restore compares: exact row counts, or a checksum of every row as well, which costs about a third more time."),
	postgres: require_libraries.strictObject({ format: require_libraries._enum(postgresFormats).default("custom").describe("`custom`: one archive of pg_dump, the quickest; `directory`: tables dumped side by side, for hosts with many cores, in one tar file; `plain`: gzipped SQL, `postgres-YYYY-MM-DD-HHMMSS.sql.gz`.") }).prefault({}),
	"before-migrate": require_libraries.boolean().default(true),
	"max-row-loss": require_libraries.number().min(0).max(1).default(.5).describe("Share of its rows by which a database, or one of its critical tables, may shrink against its last proven backup. Below 1, a key store must not have lost all of its keys without expiry either.")
});
const lockSchema = require_libraries.strictObject({
	stale: duration.refine((milliseconds) => milliseconds >= 5e3, "at least 5s, for a holder renews it only now and then").default(6e5).describe("Without renewal for so long a lock is stale."),
	wait: duration.default(0).describe("How long to wait for another holder.")
});
const thresholdsSchema = require_libraries.strictObject({
	"disk-free": require_libraries.number().min(0).max(1).default(.2).describe("Share of free space below which a disk is reported."),
	restarts: require_libraries.int().min(0).default(3),
	"response-time": duration.default(100).describe("Of the health URL, in verify's performance section."),
	connections: require_libraries.number().min(0).max(1).default(.9),
	memory: require_libraries.number().min(0).max(1).default(.9)
});
const overridable = {
	host: hostSchema,
	compose: composeSchema$1.prefault({}),
	paths: pathsSchema.prefault({}),
	services: require_libraries.record(require_libraries.string$1(), serviceSchema).default({}),
	app: appSchema.prefault({}),
	backup: backupSchema.prefault({}),
	lock: lockSchema.prefault({}),
	restore: require_libraries.strictObject({ policy: require_libraries._enum(["needed", "always"]).default("needed") }).prefault({}),
	thresholds: thresholdsSchema.prefault({})
};
/** The sections that an environment may override. */
const overridableSections = Object.keys(overridable);
/** `infra.yml`: everything but `project` and `host.address` has a default that works. Durations are milliseconds once read. */
const configSchema = require_libraries.strictObject({
	project: name$2.describe("Compose project name; also names the base directory."),
	...overridable,
	environments: require_libraries.record(name$2, require_libraries.record(require_libraries.string$1(), require_libraries.unknown())).default({}).describe("Per environment, any of the sections above: merged over them.")
});

// src/job/keep-volumes.ts
/**
* Refuses when recreating these services would part a data service from its data: no persistent mount where it keeps its
* data, data in the container itself, a mount that the compose files no longer have, or one that would come from another
* place (S2), or is another data service's as well (S13). The volume of a service that is `upgraded` may be mounted
* elsewhere: its data is brought over by a dump.
*/
async function assertDataStays({ stack: { definition } }, services, upgraded = []) {
	const stack = await definition();
	const places = /* @__PURE__ */ new Map();
	for (const one of services.filter(({ service }) => dataKinds.includes(service.kind))) {
		const { name } = one.service;
		for (const { path, source } of await placedOn(one, stack)) {
			const other = places.get(path ?? source);
			if (other !== void 0) throw shared(other, name, source);
			places.set(path ?? source, name);
		}
		for (const mount of one.container?.mounts.filter(keepsData) ?? []) if (!(upgraded.includes(name) && persistent(one.definition, stack).some(({ source }) => source === sourceOf(mount)))) assertSameSource(name, mount, one.definition, stack);
	}
}
/** The mounts of a container where its data lies: all that it can write to when its driver does not tell. */
async function dataMounts(container, one) {
	const inside = await one.driver.dataDirectory?.(one.service, container, one.definition);
	return container.mounts.filter((mount) => mount.writable && (inside === void 0 || covers(mount, inside)));
}
/** Where the data is going to lie. Refuses what does not outlive the container, now or then. */
async function placedOn({ service, container, definition, driver }, stack) {
	const next = persistent(definition, stack).filter((mount) => mount.writable);
	if (next.length === 0) throw refusal("no-persistent-volume", `data service ${service.name} has no named volume and no bind mount`, { hint: "Give it one in the compose file: without it the data goes away with the container." });
	const now = container && await driver.dataDirectory?.(service, container, definition);
	if (container) assertOutside(container, {
		name: service.name,
		now
	});
	const then = await driver.dataDirectory?.(service, void 0, definition);
	const own = next.filter((mount) => then === void 0 || covers(mount, then));
	if (own.length > 0) return own;
	const there = next.map(({ target }) => target).join(", ");
	throw refusal("no-persistent-volume", `${definition.image} keeps the data of ${service.name} in ${then}, where it has no volume (it mounts ${there})`, { hint: `Mount its volume at ${then}, or at a directory above it.` });
}
function shared(service, other, source) {
	return refusal("data-shared", `${service} and ${other} would both have their data in ${source}`, { hint: "Give each a volume of its own: two servers on one data directory destroy it." });
}
function assertOutside(container, { name, now }) {
	if (now === void 0 || container.mounts.filter(keepsData).some((mount) => covers(mount, now))) return;
	throw refusal("data-in-container", `${name} keeps its data in ${now}, in the container itself: it would go with it`, { hint: `Copy it to the place that the compose file mounts there first: stop the app and the container, then docker cp -a ${container.name}:${now}/. PLACE` });
}
/** Creates the missing directories behind the data services' mounts; any other missing bind source is an error. */
async function prepareVolumes(tools, services) {
	const stack = await tools.stack.definition();
	const paths = services.flatMap((one) => persistent(one.definition, stack).flatMap((mount) => mount.path ?? []).map((path) => ({
		path,
		isData: dataKinds.includes(one.service.kind),
		service: one.service.name
	})));
	if (paths.length === 0) return;
	const there = (await tools.host.run(sh`for path in ${paths.map((one) => one.path)}; do test -e "$path" && echo yes || echo no; done`)).stdout.trim().split("\n");
	const missing = paths.filter((_, index) => there[index] !== "yes");
	const stray = missing.find((one) => !one.isData);
	if (stray) throw failure("bind-source-missing", `${stray.path}, mounted into ${stray.service}, is not on the host`, { hint: "Copy it to the host first: Docker would put an empty directory in its place." });
	if (missing.length > 0) await tools.work.step("prepare-volumes", change`mkdir -p -m 700 -- ${missing.map((one) => one.path)}`);
}
/** Whether a path in the container lies on a mount. */
function covers({ target }, path) {
	return `${path}/`.startsWith(`${target.replace(/\/+$/, "")}/`);
}
/** The directory on the host that really holds a mount's data: behind a bind-driver volume lies another one than Docker's own. */
function directoryOf(mount, stack) {
	return stack.volumes.find((one) => one.name === mount.volume)?.device ?? mount.source;
}
function persistent(definition, stack) {
	return definition.volumes.flatMap(({ type, source, target, readOnly }) => {
		const writable = !readOnly;
		if (type === "bind") return [{
			target,
			source,
			path: source,
			writable
		}];
		const volume = stack.volumes.find((one) => one.key === source);
		return type === "volume" && volume ? [{
			target,
			source: volume.name,
			path: volume.device,
			writable
		}] : [];
	});
}
/** As Docker calls it: the volume's name, or the path of a bind mount. */
function sourceOf(mount) {
	return mount.volume ?? mount.source;
}
function keepsData(mount) {
	return mount.writable && mount.type !== "tmpfs";
}
function assertSameSource(service, mount, definition, stack) {
	const now = sourceOf(mount);
	const next = persistent(definition, stack).find((one) => one.target === mount.target);
	if (next?.source === now) return;
	throw refusal("volume-would-be-lost", `${service} has its ${mount.target} in ${now}, and would get ${next?.source ?? "nothing"} there`, { hint: "Move the data to the new place first, or put the old volume back into the compose file." });
}

// src/service/kinds.ts
/**
* The kind of a service by the last part of its image's name, whatever registry or mirror it comes from:
* `postgres:17`, `registry.example.org/mirror/postgres@sha256:...`. What nobody knows is a plain `container`.
*/
function serviceKind(image) {
	const name = imageName(image);
	return known.find(([, pattern]) => pattern.test(name))?.[0] ?? "container";
}
/** In this order: an exporter, a pooler or an admin page of a database is not that database. */
const known = [
	["container", /exporter|pgbouncer|pgpool|pgadmin|commander|backup|operator|sentinel|insight/],
	["postgres", /^(postgres|postgresql|postgis|timescaledb|timescaledb-ha|pgvector|supabase-postgres)$/],
	["dragonfly", /^dragonfly$/],
	["valkey", /^(valkey|valkey-bundle)$/],
	["redis", /^(redis|redis-stack|redis-stack-server|keydb)$/],
	["openvidu", /^openvidu-(server|server-ce|server-pro|call|v2compatibility)$/],
	["coturn", /^(coturn|openvidu-coturn)$/],
	["http", /^(nginx|nginx-unprivileged|traefik|caddy|httpd|haproxy)$/]
];
/** Without registry, folders, tag and digest. A port of the registry is no tag. */
function imageName(image) {
	return ((image.split("@")[0]?.split("/").at(-1) ?? "").split(":")[0] ?? "").toLowerCase();
}

// src/job/container-checks.ts
/** A container that came up so recently may still be in a restart loop that its restart count tells of. */
const settled$1 = 36e5;
/** What `docker inspect` tells about a service beside its state: restarts, uptime, copies, networks. */
function containerChecks(copies, service, definition, limits) {
	const container = copies[0];
	if (!container) return [];
	return [
		restartCheck(container, limits),
		...networkChecks(container, service, definition),
		...copies.length > service.replicas ? [copiesCheck(copies, service)] : []
	];
}
/**
* Running copies first, those that were never started last, then by number: what stands for the service when an interrupted
* change left several.
*/
function byUse(containers) {
	const rank = ({ state }) => state === "running" ? 0 : state === "created" ? 2 : 1;
	return containers.toSorted((a, b) => rank(a) - rank(b) || a.number - b.number);
}
function restartCheck(container, { restarts, now }) {
	const uptime = uptimeOf(container, now);
	const detail = `restarted ${container.restarts} times${uptime === void 0 ? "" : `, up ${formatDuration(uptime)}`}`;
	if (container.state === "restarting") return {
		name: "restarts",
		state: "failed",
		detail
	};
	return {
		name: "restarts",
		state: container.restarts > restarts && (uptime ?? 0) < settled$1 ? "warning" : "ok",
		detail
	};
}
/** Milliseconds since the container started; undefined when it does not run. */
function uptimeOf(container, now) {
	if (container.state !== "running" || container.startedAt === "") return void 0;
	return Math.max(0, now.getTime() - Date.parse(container.startedAt));
}
/** A running container must be in every network that its service joins: cut off from one, it looks healthy to itself. */
function networkChecks(container, service, { networks }) {
	if (container.state !== "running") return [];
	const joined = new Set(container.networks.map((one) => one.name));
	return service.networks.flatMap((key) => {
		const name = networks.find((one) => one.key === key)?.name ?? key;
		return joined.has(name) ? [] : [{
			name: `network ${name}`,
			state: "failed",
			detail: "the container is not in it"
		}];
	});
}
function copiesCheck(copies, { replicas }) {
	return {
		name: "copies",
		state: "warning",
		detail: `${copies.length} containers instead of ${replicas}: ${copies.map((one) => `${one.name} (${one.state})`).join(", ")}`
	};
}

// src/job/stack-services.ts
/** The services of a profile in dependency order, or only those named. Throws an input error `unknown-service` for another. */
async function servicesOf$1(tools, profile, names) {
	const [definitions, containers] = await Promise.all([tools.stack.servicesOf(profile), tools.stack.containers()]);
	const unknown = names?.find((name) => !definitions.some((one) => one.name === name));
	if (unknown !== void 0) {
		const known = definitions.map((one) => one.name).join(", ");
		throw inputError("unknown-service", `services: the ${profile} profile has no service ${unknown}`, { hint: known === "" ? "It has none at all." : `It has: ${known}.` });
	}
	return definitions.filter((one) => names?.includes(one.name) ?? true).map((definition) => describe$1(tools, definition, containers));
}
/** Those of the infrastructure that hold data that must not be lost. */
async function dataServices(tools, names) {
	return (await servicesOf$1(tools, "infrastructure", names)).filter(holdsData);
}
/** The container of a service, or an error that says what is missing. */
function containerOf({ container, service }) {
	if (container) return container;
	throw failure("container-missing", `service ${service.name} has no container`, { hint: "Run recreate, which creates what is missing." });
}
/** Whether its data directory must survive everything. */
function holdsData({ service }) {
	return dataKinds.includes(service.kind);
}
function names$1(services) {
	return services.map((one) => one.service.name);
}
function definitions(services) {
	return services.map((one) => one.definition);
}
function describe$1(tools, definition, containers) {
	const config = tools.config.services[definition.name] ?? defaults;
	const kind = config.kind ?? serviceKind(definition.image);
	const driver = tools.drivers.find((one) => one.kinds.includes(kind));
	if (!driver) throw failure("no-driver", `no driver knows services of kind ${kind}`);
	return {
		definition,
		driver,
		service: {
			name: definition.name,
			kind,
			config,
			host: tools.host,
			stack: tools.stack,
			backups: tools.layout.backups
		},
		container: byUse(containers.filter((one) => one.service === definition.name))[0]
	};
}
const defaults = {
	"critical-tables": [],
	"sample-queries": [],
	timeout: 1e4
};

// src/job/ensure-running.ts
/**
* Starts those of the services whose container is stopped, makes the containers that are missing on the data that is
* there, and waits until all of them are healthy; gives the containers as they then are. Refuses to start a service
* whose data another running container already has mounted (S13), and to make one where there is no data.
*/
async function ensureRunning(tools, services) {
	const missing = services.filter((one) => one.container === void 0);
	if (missing.length > 0) {
		await createOnData(tools, missing);
		return ensureRunning(tools, await refresh(tools, services));
	}
	const stopped = services.filter((one) => containerOf(one).state !== "running");
	for (const one of stopped) await assertSoleServer(tools, one);
	if (stopped.length > 0) {
		tools.log.info(`Starting ${stopped.map((one) => one.service.name).join(", ")}`);
		await tools.work.step("start-services", tools.stack.start(stopped.map(containerOf)));
	}
	await tools.work.check("wait-services", () => waitHealthy(tools, services.map((one) => one.definition)), void 0);
	return stopped.length === 0 ? services : refresh(tools, services);
}
/** Containers for services whose data is there: somebody removed them, and a backup needs a server that reads it. */
async function createOnData(tools, missing) {
	for (const one of missing) await assertSoleServer(tools, one);
	const places = await dataPresence(tools, await Promise.all(missing.map(withDataMounts)));
	for (const { service } of missing) {
		const own = places.filter((place) => place.service === service.name);
		if (own.some((place) => place.present && place.doubt === void 0)) continue;
		const where = own.map(({ place, doubt }) => doubt ? `${place} (${doubt})` : place).join(", ") || "no volume";
		throw refusal("data-missing", `service ${service.name} has no container and no data in ${where}`, { hint: "If it is new, run recreate for it alone (services). If it had data, restore a backup." });
	}
	tools.log.warning(`Making the missing containers of ${names$1(missing).join(", ")} on the data that is there`);
	const up = tools.stack.up(names$1(missing), {
		noRecreate: true,
		noDependencies: true,
		pull: "missing"
	});
	await tools.work.step("create-missing", up, { timeout: 18e5 });
	if (tools.work.dryRun) throw refusal("dry-run-ends", `the dry run ends here: ${names$1(missing).join(", ")} would first get a container`);
}
/** Only the mounts where it is going to keep its data, as far as that is known: that another one is full proves nothing. */
async function withDataMounts(one) {
	const told = await one.driver.dataDirectory?.(one.service, void 0, one.definition);
	const usual = one.service.kind === "postgres" ? "/var/lib/postgresql/data" : "/data";
	const own = one.definition.volumes.filter((mount) => covers(mount, told ?? usual));
	if (told === void 0 && own.length === 0) return one;
	return {
		...one,
		definition: {
			...one.definition,
			volumes: own
		}
	};
}
/** The same services with the containers as they are now. */
async function refresh(tools, services) {
	return servicesOf$1(tools, "infrastructure", services.map((one) => one.service.name));
}
/**
* Throws unless no other container on the host serves the service's data, or may do so by its restart policy: two servers
* on one data directory both start and both write (S13). A stopped copy of the service itself is compose's to take away.
* `strangers`: those of the stack itself are going to be stopped first.
*/
async function assertSoleServer(tools, one, { strangers = false } = {}) {
	const sources = (one.container && await dataMounts(one.container, one))?.map((mount) => mount.volume ?? mount.source) ?? await definedSources(tools, one);
	if (sources.length === 0) return;
	const { name } = one.service;
	const isOwn = (other) => other.project === tools.stack.project && (strangers || other.service === name && !runs(other));
	const rival = (await tools.stack.mounting(sources)).find((other) => other.id !== one.container?.id && !isOwn(other));
	if (rival) throw twoServers(name, rival);
}
function runs({ state }) {
	return [
		"running",
		"restarting",
		"paused"
	].includes(state);
}
async function definedSources({ stack }, { definition }) {
	const { volumes } = await stack.definition();
	return definition.volumes.filter((mount) => !mount.readOnly && (mount.type === "bind" || mount.type === "volume")).map(({ source }) => volumes.find((one) => one.key === source)?.name ?? source);
}
function twoServers(service, rival) {
	const { name, restartPolicy } = rival;
	if (runs(rival)) return refusal("data-in-use", `the data of ${service} is mounted by the running container ${name}`, { hint: `Stop ${name} first: two servers on one data directory destroy it.` });
	return refusal("data-in-use", `the data of ${service} is mounted by the stopped container ${name}, which the engine starts by itself (restart policy ${restartPolicy})`, { hint: `Two servers on one data directory destroy it. On the host: docker update --restart no ${name}, or docker rm ${name} if it is not needed (its volumes stay).` });
}
/** Stops on an empty list, which would make every later "all of them" true (S7). */
function atLeastOne(items, what) {
	if (items.length > 0) return items;
	throw failure("nothing-found", `no ${what} found`, { hint: "Check `compose.profiles` and `services` in infra.yml: data services must be in the infrastructure profile." });
}

// src/core/fingerprint.ts
/** Every fact that is missing afterwards, differs, or fell. Empty means: the same data, nothing of it lost. */
function compareFingerprints(before, after) {
	return before.flatMap((old) => {
		const now = after.find((one) => one.service === old.service);
		const changed = Object.entries(old.same).map(([fact, value]) => ({
			fact,
			before: value,
			after: now?.same[fact]
		})).filter((one) => one.before !== one.after);
		const fallen = Object.entries(old.atLeast).map(([fact, value]) => ({
			fact,
			before: value,
			after: now?.atLeast[fact]
		})).filter((one) => one.after === void 0 || one.after < one.before);
		return [...changed, ...fallen].map((one) => ({
			service: old.service,
			fact: one.fact,
			before: String(one.before),
			after: String(one.after ?? "(none)")
		}));
	});
}

// src/job/set-aside.ts
/**
* Names beside a data directory, dated, for what makes room and for what takes its place in vain. With the time besides the
* backup, for two tries with one backup must not meet.
*/
function besidePaths(directory, { id, now }) {
	const time = now.toISOString().slice(11, 19).replaceAll(":", "");
	return {
		aside: `${directory}.aside-${id}-${time}`,
		failed: `${directory}.failed-${id}-${time}`
	};
}
/** Renames a data directory of a stopped server and puts an empty one with the same owner in its place (S2). */
function setAside({ imageId, directory, aside }) {
	return besideDirectory("set-aside", {
		imageId,
		directory,
		names: [directory, aside].map((path) => node_path.posix.basename(path)),
		effect: "change"
	});
}
/** Puts the directory back that `setAside` renamed; what lies in its place now is kept as `failed`, and then said (`kept`). Can be repeated. */
function putAsideBack({ imageId, directory, aside }, failed) {
	return besideDirectory("put-aside-back", {
		imageId,
		directory,
		names: [
			directory,
			aside,
			failed
		].map((path) => node_path.posix.basename(path)),
		effect: "change"
	});
}
/** Runs a script, as root in a container without network, where `directory` lies. */
function besideDirectory(name, { imageId, directory, names, effect }) {
	return (effect === "change" ? change : sh)`docker run --rm --pull never --network none --user 0 --label infra-actions.scratch=1 --entrypoint sh \
  --volume ${`${node_path.posix.dirname(directory)}:/parent`} ${imageId} -c ${remoteScript(name)} sh /parent ${names}`;
}

// src/job/aside.ts
const noteSchema$5 = require_libraries.object({
	format: require_libraries.literal(1),
	service: require_libraries.string$1(),
	/** Where the data was, and where it is kept: on the host, side by side. */
	directory: require_libraries.string$1(),
	aside: require_libraries.string$1(),
	/** Where what was filled in its place is kept, if that was given up. */
	failed: require_libraries.string$1(),
	/** By the host's clock, ISO 8601 UTC. */
	at: require_libraries.datetime()
});
/** Shell text that notes a directory, durably, and then sets it aside. */
function setAsideNoted(layout, imageId, note) {
	const { directory, aside } = note;
	const noted = writeNote(noteFile$3(layout, note), {
		format: 1,
		...note
	});
	return change`${noted} || exit\n${setAside({
		imageId,
		directory,
		aside
	})}`;
}
/** Directories of one service that were set aside and are still there, as data that was replaced. Notes that cannot be read are told. */
async function asidesOf(tools, one) {
	const { notes, problems } = await readNotes(tools, folderOf(tools.layout), noteSchema$5);
	for (const problem of problems) tools.log.warning(problem);
	const found = [];
	for (const { service, directory, aside, failed, at } of notes) {
		if (service !== one.service.name || ![aside, failed].every((path) => isBeside(directory, path))) continue;
		const names = [aside, failed].map((path) => node_path.posix.basename(path));
		const look = besideDirectory("aside-look", {
			imageId: containerOf(one).imageId,
			directory,
			names,
			effect: "read"
		});
		const lines = (await tools.host.run(look, { timeout: 6e5 })).stdout.trimEnd().split("\n");
		if (lines.pop() !== "end") throw failure("host-answer", `what lies beside ${directory} cannot be told`);
		for (const line of lines) {
			const [, size = "0", name = ""] = /^(\d+) (.*)$/.exec(line) ?? [];
			const was = `${name === names[1] ? "what was given up of the" : "the"} data directory of ${service}`;
			found.push({
				name: node_path.posix.join(node_path.posix.dirname(directory), name),
				was,
				at,
				run: void 0,
				bytes: Number(size) * 1024
			});
		}
	}
	return found;
}
/** Removes such directories for good. The caller has proven a later backup. */
async function removeAsides(tools, one, paths) {
	const { imageId } = containerOf(one);
	const known = await asidesOf(tools, one);
	for (const path of paths) {
		if (!known.some(({ name }) => name === path)) throw refusal("not-replaced", `${path} is not what was set aside`);
		const [user] = await tools.stack.mounting([path]);
		if (user) throw refusal("data-in-use", `${user.name} runs on ${path}, which was set aside`);
		const names = [node_path.posix.basename(path)];
		const forget = besideDirectory("aside-forget", {
			imageId,
			directory: path,
			names,
			effect: "change"
		});
		await tools.work.step(`remove-aside-${one.service.name}`, forget, { timeout: 18e5 });
	}
}
/** Takes away the notes of directories that are not there any more. */
async function forgetAsides(tools, one) {
	const { notes } = await readNotes(tools, folderOf(tools.layout), noteSchema$5);
	const left = (await asidesOf(tools, one)).map(({ name }) => name);
	const [first, ...more] = notes.filter(({ service, aside, failed }) => service === one.service.name && !left.includes(aside) && !left.includes(failed)).map((note) => noteFile$3(tools.layout, note));
	if (first !== void 0) await tools.work.step(`forget-aside-${one.service.name}`, removeNotes(first, ...more));
}
/** Only names that are made here: a note says where to look, not what may go. */
function isBeside(directory, path) {
	return path.startsWith(directory) && /^\.(aside|failed)-backup-\d{8}-\d{6}-\d{6}$/.test(path.slice(directory.length));
}
function noteFile$3(layout, { service, aside }) {
	return `${folderOf(layout)}/${service}-${node_path.posix.basename(aside)}.json`;
}
function folderOf({ state }) {
	return `${state}/aside`;
}

// src/job/debug/causes.ts
/** Names the cause, the most specific first, with the sentence that shows it. */
function nameCause(evidence) {
	const { container, checks, log } = evidence;
	const told = checks.map((check) => `${check.name}: ${check.detail}`).join("; ");
	if (!container) return {
		cause: "missing",
		details: "the service has no container"
	};
	if (container.state === "paused") return {
		cause: "paused",
		details: "the container is paused"
	};
	const refused = startProblems.find(([, pattern]) => pattern.test(container.error));
	if (refused && container.state !== "running") return {
		cause: refused[0],
		details: container.error
	};
	const network = checks.find((check) => check.name.startsWith("network ") && check.state === "failed");
	if (network) return {
		cause: "network-missing",
		details: `${network.name}: ${network.detail}`
	};
	const loops = container.state === "restarting" || isShaky(evidence);
	const down = container.state !== "running" || loops;
	if (down || container.restarts > 0) {
		if (container.oomKilled) return {
			cause: "out-of-memory",
			details: `killed with exit code ${container.exitCode}`
		};
		const line = logProblems.flatMap(([cause, pattern]) => {
			const found = log.split("\n").findLast((one) => pattern.test(one));
			return found === void 0 ? [] : [{
				cause,
				details: withoutTime(found)
			}];
		})[0];
		if (line) return line;
	}
	if (down) {
		const ended = `${container.state} with exit code ${container.exitCode}, restarted ${container.restarts} times`;
		return {
			cause: loops ? "restart-loop" : "stopped",
			details: ended
		};
	}
	if (checks.some((check) => check.name.startsWith("volume ") && check.state === "failed")) return {
		cause: "bad-mount",
		details: told
	};
	return {
		cause: checks.some((check) => check.state === "failed") ? "unhealthy" : "unknown",
		details: told
	};
}
function isShaky({ container, restartLimit, checks }) {
	return (container?.restarts ?? 0) > restartLimit && checks.some((check) => check.name === "restarts");
}
/** Docker's own reasons for a container that did not start. */
const startProblems = [
	["network-missing", /network \S+ not found|could not find a network|network .* does not exist/i],
	["port-conflict", /port is already allocated|address already in use|failed to bind host port/i],
	["disk-full", /no space left on device/i],
	["bad-mount", /mount|bind source path does not exist|not a directory/i],
	["image-missing", /no such image|image .* not found/i],
	["out-of-memory", /cannot allocate memory|out of memory/i]
];
/** What Postgres and Redis-protocol servers write when their data cannot be used, and what all write when a disk is full. */
const logProblems = [
	["disk-full", /no space left on device|MISCONF .*disk/i],
	["data-unreadable", /PANIC:|could not locate a valid checkpoint record|invalid primary checkpoint record|could not open file "[^"]*global\/pg_(control|filenode\.map)|could not find the database system|invalid page in block|database files are incompatible with server|is not a database cluster directory|(Bad file format|Unexpected end of file) reading the append only file|Unable to obtain the AOF file|Wrong signature|Internal error when loading RDB|Short read or OOM loading DB|RDB file was saved with checksum|Can't handle RDB format|Internal error in RDB/i],
	["bad-mount", /data directory .* has (wrong ownership|invalid permissions)|Permission denied.*(\/data|\/var\/lib)/i],
	["port-conflict", /address already in use/i]
];
/** `docker logs --timestamps` puts the time before each line. */
function withoutTime(line) {
	return line.replace(/^\d{4}-\d\d-\d\dT\S+\s/, "").trim();
}

// src/core/manifest.ts
/** A file of a backup, as it was when it was written. */
const artifactSchema = require_libraries.strictObject({
	/** Path relative to the backup directory and, with the prefix before it, the key in S3. */
	file: require_libraries.string$1().min(1),
	/** What it holds: one database, how that database is made where its file does not say it, the cluster's globals, or a snapshot of keys. */
	role: require_libraries._enum([
		"database",
		"properties",
		"globals",
		"keys"
	]),
	/** The database's name, also for its properties; the file's own name for the others. */
	name: require_libraries.string$1(),
	bytes: require_libraries.int().positive(),
	sha256: require_libraries.string$1().regex(/^[0-9a-f]{64}$/)
});
/** Sum of a hash of every row, so that no order counts; a decimal number too large for JSON's. */
const checksumSchema = require_libraries.string$1().regex(/^-?\d+$/);
const tableSchema = require_libraries.strictObject({
	schema: require_libraries.string$1(),
	name: require_libraries.string$1(),
	rows: require_libraries.int().min(0),
	/** Of its rows' text, when `backup.verify` is `checksum`. */
	checksum: checksumSchema.optional()
});
const databaseSchema$1 = require_libraries.strictObject({
	name: require_libraries.string$1(),
	/** Bytes on disk when the dump was taken. */
	size: require_libraries.int().min(0),
	tables: require_libraries.array(tableSchema),
	largeObjects: require_libraries.int().min(0),
	largeObjectsChecksum: checksumSchema.optional(),
	/** What a server needs to take it; absent in backups that did not record it. */
	extensions: require_libraries.array(require_libraries.strictObject({
		name: require_libraries.string$1(),
		version: require_libraries.string$1()
	})).optional()
});
const postgresSchema = require_libraries.strictObject({
	kind: require_libraries.literal("postgres"),
	/** `server_version_num` and the image's reference. */
	version: require_libraries.int(),
	systemIdentifier: require_libraries.string$1(),
	dataChecksums: require_libraries.boolean(),
	databases: require_libraries.array(databaseSchema$1)
});
const keyspaceSchema = require_libraries.array(require_libraries.strictObject({
	database: require_libraries.int(),
	keys: require_libraries.int(),
	expires: require_libraries.int()
}));
const keysSchema = require_libraries.strictObject({
	kind: require_libraries._enum([
		"dragonfly",
		"redis",
		"valkey"
	]),
	product: require_libraries.string$1(),
	version: require_libraries.string$1(),
	/** Keys and keys with an expiry, per logical database: those of the snapshot unless `earlier` is there. */
	keyspace: keyspaceSchema,
	/** Keys in the files by the server's own count while it wrote; only of Dragonfly, whose files cannot be counted. */
	written: require_libraries.int().min(0).optional(),
	/** The counts before the snapshot, when `keyspace` are those after it and the ones at its moment are not known. */
	earlier: keyspaceSchema.optional()
});
const serviceBackupSchema = require_libraries.strictObject({
	service: require_libraries.string$1(),
	image: require_libraries.string$1(),
	artifacts: require_libraries.array(artifactSchema).min(1),
	contents: require_libraries.discriminatedUnion("kind", [postgresSchema, keysSchema])
});
/** How it is known that S3 holds the bytes: strongest first. */
const proofTiers = [
	"read-back",
	"etag",
	"parts-only"
];
const manifestSchema = require_libraries.strictObject({
	format: require_libraries.literal(1),
	/** `backup-YYYYMMDD-HHMMSS`, UTC. */
	id: require_libraries.string$1().regex(/^backup-\d{8}-\d{6}$/),
	project: require_libraries.string$1(),
	environment: require_libraries.string$1(),
	/** ISO 8601, UTC: when the first snapshot was taken. Retention goes by this, never by a file's time. */
	created: require_libraries.datetime(),
	run: require_libraries.strictObject({
		id: require_libraries.string$1(),
		url: require_libraries.string$1(),
		actor: require_libraries.string$1()
	}),
	encrypted: require_libraries.literal(false),
	services: require_libraries.array(serviceBackupSchema).min(1),
	storage: require_libraries.strictObject({
		local: require_libraries._enum(["success"]),
		s3: require_libraries._enum([
			"success",
			"failed",
			"off"
		]),
		/** Absent when S3 does not hold the files. */
		tier: require_libraries._enum(proofTiers).optional(),
		/** Until when S3 lets nobody delete or change the objects; absent without a lock. */
		lockedUntil: require_libraries.datetime().optional(),
		/** S3 objects by artifact file, with what is needed to check them again. */
		objects: require_libraries.array(require_libraries.strictObject({
			file: require_libraries.string$1(),
			key: require_libraries.string$1(),
			etag: require_libraries.string$1(),
			partBytes: require_libraries.int(),
			versionId: require_libraries.string$1().optional(),
			/** What the object holds when it is the file encrypted with OpenPGP. The file on the host is not. */
			encrypted: require_libraries.strictObject({
				bytes: require_libraries.int().positive(),
				sha256: require_libraries.string$1().regex(/^[0-9a-f]{64}$/)
			}).optional()
		})).default([])
	})
});

// src/job/install-definition.ts
const installedSchema = require_libraries.array(require_libraries.object({
	path: require_libraries.string$1(),
	sha256: require_libraries.string$1()
}));
/**
* Brings the stack's definition on the host to what the checkout has (`compose.upload`), each file by rename, the old
* one kept beside as `<file>.previous`. `changed` are the files that differ. Call the result when the new one turns out bad.
* Until then, or until the app starts on what the definition made, a note of them lies on the host for the next run.
*/
async function installDefinition(tools, changed) {
	if (changed.length === 0) return async () => {};
	const installed = changed.map(({ path, content }) => ({
		path,
		sha256: sha256(content)
	}));
	await tools.work.step("note-definition", writeNote(installedFile(tools.layout), installed));
	for (const file of changed) {
		const path = node_path.posix.join(tools.layout.base, file.path);
		tools.log.info(`${path} is replaced by the checkout's`);
		await tools.work.step("install-definition", change`mkdir -p -- ${node_path.posix.dirname(path)} && cat >${`${path}.next`} && chmod 644 ${`${path}.next`} && sync ${`${path}.next`} &&
if test -e ${path}; then cp -p -- ${path} ${`${path}.previous`}; else rm -f -- ${`${path}.previous`}; fi &&
mv -f -- ${`${path}.next`} ${path}`, { input: file.content });
	}
	tools.stack.forget();
	return () => putDefinitionBack(tools, installed);
}
/** What a recreation that has not ended brought; none as a rule. */
async function readInstalled(tools) {
	return await readNote$1(tools, installedFile(tools.layout), installedSchema) ?? [];
}
/** Shell text that ends it: what was installed stays, or is taken back. */
function forgetInstalled(layout) {
	return removeNotes(installedFile(layout));
}
/** The files of the checkout's definition that the host has otherwise, or not at all. */
async function differingFiles(tools) {
	if (tools.definition.length === 0) return [];
	const paths = tools.definition.map((file) => node_path.posix.join(tools.layout.base, file.path));
	const { stdout } = await tools.host.run(sh`for file in ${paths}; do if test -f "$file"; then sha256sum <"$file"; else echo none; fi; done`);
	const there = stdout.split("\n").map((line) => line.split(" ")[0]);
	return tools.definition.filter(({ content }, index) => there[index] !== sha256(content));
}
/**
* Puts back what `installDefinition` kept of these files. One that has no former state stays, and so does one that is not
* what was installed: what lies beside it is older. A failure is told, not thrown.
*/
async function putDefinitionBack(tools, files) {
	if (files.length === 0) return;
	const commands = files.map(({ path, sha256: installed }) => {
		const file = node_path.posix.join(tools.layout.base, path);
		return change`if test -e ${`${file}.previous`} && test "$(sha256sum <${file} | cut -d ' ' -f 1)" = ${installed}; then cp -p -- ${`${file}.previous`} ${`${file}.next`} && mv -f -- ${`${file}.next`} ${file}; fi`;
	});
	try {
		await tools.work.step("put-definition-back", lines$1(change`set -e`, ...commands, forgetInstalled(tools.layout)));
	} catch (error) {
		tools.log.warning(`The previous definition could not be put back: ${messageOf(error)}`);
	}
	tools.stack.forget();
}
/** Where the note of it lies. */
function installedFile({ state }) {
	return `${state}/definition.json`;
}
function sha256(content) {
	return (0, node_crypto.createHash)("sha256").update(content).digest("hex");
}

// src/job/stopped-app-note.ts
const restoringSchema = require_libraries.object({
	/** Ids of the works that took part, newest first: part of the names of what they made. */
	ids: require_libraries.array(require_libraries.string$1()).min(1),
	/** The services that it brings back. */
	services: require_libraries.array(require_libraries.string$1()),
	/** Those of them whose restored data was proven to serve. */
	done: require_libraries.array(require_libraries.string$1()),
	/** What was there before does not serve, or is nothing: there is only the way forward. */
	forward: require_libraries.boolean(),
	/** That live data may be dropped where the disk has no room for both. */
	inPlace: require_libraries.object({
		/** Also without a backup that holds it. */
		force: require_libraries.boolean(),
		/** By service whose live data this restore has begun to drop: the backup that holds it, null where none is known to. */
		dropped: require_libraries.record(require_libraries.string$1(), require_libraries.string$1().nullable())
	}).optional()
});
const undoingSchema = require_libraries.object({
	/** In this order: the name of what goes back as it is kept, the work that had replaced it, and the id that what makes room for it gets. */
	services: require_libraries.array(require_libraries.object({
		service: require_libraries.string$1(),
		name: require_libraries.string$1(),
		run: require_libraries.string$1().optional(),
		id: require_libraries.string$1()
	})).min(1),
	/** Those of them that serve it, proven. */
	done: require_libraries.array(require_libraries.string$1()),
	/** Whether the host waited for a restore before. */
	waited: require_libraries.boolean(),
	/** There is only the way forward: it takes an undo forth again that could not be finished. */
	forward: require_libraries.boolean()
});
const noteSchema$4 = require_libraries.object({
	format: require_libraries.literal(1),
	/** What has to come before the app may start: its services that run again, or a restore that ended well. */
	awaits: require_libraries._enum(["services", "restore"]),
	/** The backup that holds the data as it was before the stop: what a restore brings back, and retention keeps. */
	backup: require_libraries.string$1().optional(),
	/** While a restore is under way. */
	restoring: restoringSchema.optional(),
	/** While an undo of a restore is under way. */
	undoing: undoingSchema.optional(),
	/** Of an undo that only has the app to start: the sentence about what it did. Who asks for it again must not get the opposite. */
	undone: require_libraries.string$1().optional(),
	/** Once new containers are begun with, the way back: by service the image id of before, null for one that came with them. */
	previous: require_libraries.record(require_libraries.string$1(), require_libraries.string$1().nullable()).optional(),
	/** The data's fingerprints at the clean stop; none until the services were stopped, and none any more once they were compared. */
	fingerprints: require_libraries.array(require_libraries.object({
		service: require_libraries.string$1(),
		same: require_libraries.record(require_libraries.string$1(), require_libraries.string$1()),
		atLeast: require_libraries.record(require_libraries.string$1(), require_libraries.number())
	}))
});
/** Shell text that writes the note down. */
function noteStoppedApp(layout, note) {
	return writeNote(noteFile$2(layout), {
		format: 1,
		...note
	});
}
/** Shell text that takes the note away: the app runs again, and whatever definition is there has served. */
function forgetStoppedApp(layout) {
	return removeNotes(noteFile$2(layout), installedFile(layout));
}
/** The note; undefined when we have not stopped the app. Throws when it cannot be read: nobody guesses about it. */
async function readStoppedApp(tools) {
	return readNote$1(tools, noteFile$2(tools.layout), noteSchema$4);
}
function noteFile$2({ state }) {
	return `${state}/app-stopped.json`;
}

// src/job/stop-in-order.ts
/**
* Stops containers of these services, each within its grace period, those that need others before these: Docker stops all
* at once that it is given in one call.
*/
function stopInOrder(stack, services, containers) {
	return stopWaves(services).map((wave) => containers.filter((one) => wave.some(({ name }) => name === one.service))).filter((some) => some.length > 0).map((some) => stack.stop(some)).reduce((before, next) => change`${before} || exit\n${next}`);
}
/** Milliseconds that such a stop may take: every grace period, one after the other, and ten minutes for what is slow besides. */
function stopTimeout(services) {
	return services.reduce((sum, { stopGracePeriod }) => sum + stopGracePeriod, 6e5);
}

// src/job/writers.ts
/**
* Stops every running container of the app, those that need others first, within their grace periods, and leaves a note
* of what has to come before it may start again: whoever is killed before that leaves it to the next run. Where
* nothing runs, an earlier run's note that a restore has to come first still stands.
*/
async function stopWriters(tools, reason) {
	const { services, containers } = await appContainers(tools);
	const running = containers.filter(isRunning);
	const earlier = running.length === 0 ? await readStoppedApp(tools) : void 0;
	const stands = earlier?.awaits === "restore" && reason.awaits !== "restore";
	const note = noteStoppedApp(tools.layout, stands ? earlier : {
		...reason,
		fingerprints: []
	});
	const stop = running.length === 0 ? note : change`${note} || exit\n${stopInOrder(tools.stack, services, running)}`;
	await tools.work.step("stop-writers", stop, { timeout: stopTimeout(services) });
}
/** Kinds of services that keep nothing in a store of ours: they go on while its data is compared. */
const readers = ["coturn", "http"];
/**
* What runs of the infrastructure besides these services and may write to the data that they hold, or delete of it: it has to
* stand still while that is compared.
*/
async function writersBeside(tools, services) {
	if (!services.some(holdsData)) return [];
	const named = names$1(services);
	return (await servicesOf$1(tools, "infrastructure")).filter(({ service }) => !named.includes(service.name)).filter((one) => !holdsData(one) && !readers.includes(one.service.kind) && one.container && isRunning(one.container));
}
/** What an earlier run noted when it left the app stopped until its data is restored; not when somebody has started it since. */
async function waitsForRestore(tools) {
	return stillWaits(tools, await readStoppedApp(tools));
}
/** The same for a note that was read already. */
async function stillWaits(tools, note) {
	if (note?.awaits !== "restore" || await appRuns(tools)) return void 0;
	return note;
}
/** Refuses (`restore-first`) what would start the app, or change what is under it, while it waits for a restore. */
async function assertNotWaiting(tools) {
	const waits = await waitsForRestore(tools);
	if (waits) throw refusal("restore-first", `as an earlier run noted, ${restoreFirst(waits)}`, { hint: "Run restore with that backup-id, or pipeline with force: restore; then run this again." });
}
/** `the app stays stopped until its data is restored (backup-... has it)`. */
function restoreFirst({ backup }) {
	return `the app stays stopped until its data is restored${backup === void 0 ? "" : ` (${backup} has it)`}`;
}
/**
* Starts every stopped container of the app and waits until the app is healthy: also those that an earlier, cut off
* run had stopped; not what runs to its end (a migration, a seed). Does nothing where the app was never deployed, and where
* it has to stay stopped for a restore.
*/
async function startWriters(tools) {
	const waits = await waitsForRestore(tools);
	if (waits) {
		tools.log.warning(`As an earlier run noted, ${restoreFirst(waits)}`);
		return;
	}
	const lasting = (await tools.stack.servicesOf("app")).filter((one) => !one.oneShot);
	const containers = (await appContainers(tools)).containers.filter((one) => lasting.some(({ name }) => name === one.service));
	const stopped = containers.filter((one) => one.state === "exited");
	const note = await readStoppedApp(tools);
	const forget = note?.undone === void 0 ? [forgetStoppedApp(tools.layout)] : [];
	const [first, ...then] = [...stopped.length === 0 ? [] : [tools.stack.start(stopped)], ...forget];
	if (first && (note || stopped.length > 0)) await tools.work.step("start-writers", then.reduce((all, one) => change`${all} || exit\n${one}`, first));
	const deployed = lasting.filter((one) => containers.some((container) => container.service === one.name));
	if (deployed.length > 0) await tools.work.check("wait-writers", () => waitHealthy(tools, deployed), void 0);
	if (note?.undone !== void 0) await tools.work.step("forget-undone", forgetStoppedApp(tools.layout));
}
/** The same once the data is what the app belongs to: a run that is cut off from here on leaves only the start to the next. */
async function startOnRightData(tools, { undone } = {}) {
	const note = {
		awaits: "services",
		...undone !== void 0 && { undone },
		fingerprints: []
	};
	await tools.work.step("note-right-data", noteStoppedApp(tools.layout, note));
	await startWriters(tools);
}
/** Whether any of the app runs. */
async function appRuns(tools) {
	return (await appContainers(tools)).containers.some(isRunning);
}
/** Somebody else has started the app: what an earlier run noted is over. */
async function forgetStop(tools) {
	await tools.work.step("forget-stop", forgetStoppedApp(tools.layout));
}
function isRunning({ state }) {
	return state === "running" || state === "restarting";
}
/** The app's containers, in dependency order, as they are started. */
async function appContainers({ stack }) {
	const [services, all] = await Promise.all([stack.servicesOf("app"), stack.containers()]);
	return {
		services,
		containers: services.flatMap(({ name }) => all.filter((one) => one.service === name))
	};
}

// src/job/restore-note.ts
/**
* Writes down what is going to be restored, durably, and stops the app: whoever is killed from here on leaves to the next
* run all that it needs to finish or to undo. Where the host waited for a restore there is no way back.
*/
async function noteRestore(tools, manifest, { services, inPlace }) {
	const forward = await waitsForRestore(tools) !== void 0;
	await tools.work.step("note-restore", writeNote(manifestFile$1(tools), manifest));
	const restoring = {
		ids: [tools.work.id],
		services: [...services],
		done: [],
		forward,
		inPlace
	};
	await stopWriters(tools, {
		awaits: "restore",
		backup: manifest.id,
		restoring
	});
}
/** The backup `id`, which a restore under way brings back. */
async function readRestored(tools, id) {
	const file = manifestFile$1(tools);
	const manifest = await readNote$1(tools, file, manifestSchema);
	if (manifest?.id === id) return manifest;
	throw failure("note-unreadable", `${file} should say what ${id} holds, and ${manifest ? `is about ${manifest.id}` : "is not there"}`, { hint: `Restore ${id} again, or another backup.` });
}
/** This service's restored data is proven to serve. */
async function noteRestored(tools, service) {
	await renote(tools, `note-restored-${service}`, (note) => ({
		...note,
		done: [...note.done, service]
	}));
}
/** From here on what was there before does not serve any more: an interrupted restore can only go on. */
async function noWayBack(tools) {
	await renote(tools, "note-no-way-back", (note) => ({
		...note,
		forward: true
	}));
}
/** The live data of this service is dropped from here on, which the backup `held` holds: an interrupted restore can only go on. */
async function noteDropped(tools, service, held) {
	await renote(tools, `note-dropped-${service}`, ({ inPlace = {
		force: false,
		dropped: {}
	}, ...note }) => ({
		...note,
		forward: true,
		inPlace: {
			...inPlace,
			dropped: {
				...inPlace.dropped,
				[service]: held
			}
		}
	}));
}
/** This run's works take part from here on: what they leave is theirs. */
async function noteGoesOn(tools) {
	await renote(tools, "note-goes-on", (note) => ({
		...note,
		ids: [tools.work.id, ...note.ids]
	}));
}
/** What a restore under way has noted; undefined where there is none. */
async function readRestoring(tools) {
	const note = await readStoppedApp(tools);
	return note?.restoring && {
		...note,
		restoring: note.restoring
	};
}
async function renote(tools, step, edit) {
	const note = await readRestoring(tools);
	if (!note) return;
	await tools.work.step(step, noteStoppedApp(tools.layout, {
		...note,
		restoring: edit(note.restoring)
	}));
}
function manifestFile$1({ layout }) {
	return `${layout.state}/restore.json`;
}

// src/job/make-serving.ts
/**
* Gets a database server to answer so that a backup can be restored into it. One that answers is left alone, whatever its
* health check says. Only one that has ended and whose log says that it cannot read its data gets an empty directory; the
* unreadable data is moved aside under a dated name and stays (S2): gives that place. Throws, with the data where it was,
* when it does not serve for any other reason.
*/
async function makeServing(tools, one, id) {
	if (await answers$1(one)) return void 0;
	const problem = await start(tools, one);
	if (problem === void 0) return void 0;
	const [now] = await refresh(tools, [one]);
	if (!now?.container || await answers$1(now)) {
		if (now?.container) return void 0;
		throw failure("not-healthy", `${one.service.name} could not be created: ${problem}`);
	}
	tools.log.warning(`${one.service.name} does not serve with the data it has: ${problem}`);
	tools.log.warning(`Its log says: ${await proveUnreadable(tools, now, problem)}`);
	return startEmpty(tools, now, id);
}
/** Whether its driver reaches the server: a health check may be late, or look at something else. */
async function answers$1({ container, driver, service }) {
	if (container?.state !== "running" || !driver.fingerprint) return false;
	try {
		await driver.fingerprint(service, container);
		return true;
	} catch (error) {
		if (!(error instanceof AppError) || isElsewhere(error)) throw error;
		return false;
	}
}
/** Starts, or first creates, the service; why it is not healthy, undefined when it is. */
async function start(tools, one) {
	await assertSoleServer(tools, one);
	await tools.work.step("start-service", tools.stack.up([one.service.name], {
		noRecreate: true,
		noDependencies: true
	}));
	try {
		await tools.work.check("wait-service", () => waitHealthy(tools, [one.definition]), void 0);
		return;
	} catch (error) {
		if (!isOurs(tools, error) || !(error instanceof AppError) || isElsewhere(error)) throw error;
		return messageOf(error);
	}
}
function isElsewhere({ code }) {
	return /^(host|engine|docker|compose)-/.test(code);
}
/** The line of its log that proves that the data cannot be read. Throws `not-serving` when nothing does: then the data is not to be touched. */
async function proveUnreadable(tools, one, problem) {
	const container = containerOf(one);
	const log = await tools.stack.logs(container, 50);
	const { cause, details } = nameCause({
		container,
		checks: [],
		log,
		restartLimit: 0
	});
	if (cause === "data-unreadable" && !/incompatible with server/.test(details)) return details;
	throw failure("not-serving", `${problem}; nothing says that its data is unreadable (${cause}: ${details})`, { hint: `${one.service.name} keeps its data. Mend what keeps it from serving and run this again; only data that its log calls unreadable gives way.` });
}
async function startEmpty(tools, one, id) {
	const container = containerOf(one);
	const { name } = one.service;
	await tools.work.step("stop-unreadable", tools.stack.stop([container]));
	const directory = await dataDirectory$1(tools, one);
	const now = await hostNow(tools);
	const { aside, failed } = besidePaths(directory, {
		id,
		now
	});
	const place = {
		imageId: container.imageId,
		directory,
		aside
	};
	const note = {
		service: name,
		directory,
		aside,
		failed,
		at: now.toISOString()
	};
	await noWayBack(tools);
	await tools.work.step("set-data-aside", setAsideNoted(tools.layout, container.imageId, note));
	tools.log.warning(`What ${name} cannot read is kept in ${place.aside}`);
	const problem = await start(tools, one);
	if (problem === void 0) return place.aside;
	await tools.work.step("stop-empty", tools.stack.stop([container]));
	await tools.work.step("put-data-back", putAsideBack(place, failed));
	throw failure("not-healthy", `${name} does not start with an empty directory either: ${problem}`, { hint: `Its data is in ${directory} again; what the empty start left is in ${failed}.` });
}
/** On the host: of all that is mounted, only the one place where the server keeps its data. */
async function dataDirectory$1(tools, one) {
	const container = containerOf(one);
	const inside = await one.driver.dataDirectory?.(one.service, container, one.definition);
	const [mount] = container.mounts.filter((one) => inside !== void 0 && covers(one, inside)).toSorted((a, b) => b.target.length - a.target.length);
	if (inside !== void 0 && mount?.writable && mount.type !== "tmpfs") return directoryOf(mount, await tools.stack.definition()).replace(/\/+$/, "");
	throw refusal("no-persistent-volume", `${one.service.name} keeps its data in ${inside}, which is on no volume`);
}

// src/job/start-compared.ts
/**
* Starts the data services alone, compares their data with what it was, and only then starts the rest, which may write
* to them: what nobody has touched yet is compared. Why not everything serves the same data; undefined when it does.
* Throws what is not about the services, and, with nothing started, the refusal `data-in-use` (S13).
*/
async function tryCompared(tools, options) {
	let differences = [];
	let proven = false;
	const data = await refresh(tools, options.services.filter(holdsData));
	await Promise.all(data.map((one) => assertSoleServer(tools, one)));
	try {
		await startData(tools, options);
		differences = await compareData(tools, options);
		assertSame(differences);
		proven = true;
		options.same?.();
		await startRest$1(tools, options);
		return;
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		return {
			error,
			differences,
			proven
		};
	}
}
/**
* What `tryCompared` starts by, so that nobody compares the data again once what may write to it is being started: that is
* in the note before.
*/
function comparedOnce({ layout }, note, up) {
	let isSame = false;
	return {
		up: (services) => note && isSame ? change`${noteStoppedApp(layout, {
			...note,
			fingerprints: []
		})} || exit\n${up(services)}` : up(services),
		same: () => {
			isSame = true;
		}
	};
}
/** The fingerprints of data services as they run now. */
async function fingerprints(services) {
	return Promise.all(services.flatMap((one) => one.driver.fingerprint?.(one.service, containerOf(one)) ?? []));
}
/** Throws `data-differs` with each fact that does. */
function assertSame(differences) {
	if (differences.length === 0) return;
	const facts = differences.map((one) => `${one.service} ${one.fact}: ${one.after} instead of ${one.before}`);
	throw failure("data-differs", `the data is not what it was: ${facts.join("; ")}`);
}
async function startData(tools, { services, step, up, fill }) {
	const data = services.filter(holdsData);
	if (data.length > 0) {
		await tools.work.step(step.start, up(names$1(data)));
		await tools.work.check(step.wait, () => waitHealthy(tools, definitions(data)), void 0);
	}
	await fill?.();
}
async function compareData(tools, { services, before, step }) {
	if (before.length === 0) return [];
	const data = services.filter((one) => before.some(({ service }) => service === one.service.name));
	const after = await tools.work.check(step.compare, async () => fingerprints(await refresh(tools, data)), before);
	return compareFingerprints(before, after);
}
async function startRest$1(tools, { services, step, up }) {
	const rest = services.filter((one) => !holdsData(one));
	if (rest.length === 0) return;
	const alone = rest.length === services.length;
	await tools.work.step(alone ? step.start : `${step.start}-rest`, up(names$1(rest)));
	await tools.work.check(alone ? step.wait : `${step.wait}-rest`, () => waitHealthy(tools, definitions(services)), void 0);
}

// src/job/lost-data.ts
/** Whether it is restored while it is stopped, and saves as it stops. */
function isKeyStore(one) {
	return holdsData(one) && one.service.kind !== "postgres";
}
/** Whether this service serves what it held. False also where it does not answer. */
async function isWhole(one, before) {
	try {
		return await isSame$1(one, before);
	} catch (error) {
		if (error instanceof HostError) throw error;
		return false;
	}
}
/**
* Whether a store of keys has lost what it held: it serves less, or its log says that it cannot read what it has. Throws
* `not-serving` where neither that nor the opposite is known: a backup restored over data that only was not asked would
* lose what was written since.
*/
async function hasLost(tools, one, before) {
	try {
		return !await isSame$1(one, before);
	} catch (error) {
		if (error instanceof HostError || !(error instanceof AppError)) throw error;
		tools.log.warning(`The log of ${one.service.name} says: ${await proveUnreadable(tools, one, messageOf(error))}`);
		return true;
	}
}
async function isSame$1(one, before) {
	const own = before.filter(({ service }) => service === one.service.name);
	return compareFingerprints(own, await fingerprints([one])).length === 0;
}

// src/job/upgrade-note.ts
const noteSchema$3 = require_libraries.object({
	format: require_libraries.literal(1),
	service: require_libraries.string$1(),
	/** The image that served the old directory, by its id. */
	imageId: require_libraries.string$1(),
	directory: require_libraries.string$1(),
	/** Where the old directory is kept while the new one is filled, and afterwards. */
	aside: require_libraries.string$1(),
	/** Where the new one goes when the upgrade fails. */
	failed: require_libraries.string$1()
});
/** Shell text that writes the notes down, durably, before anything of theirs is touched. */
function writeUpgrades(layout, notes) {
	return writeNote(noteFile$1(layout), notes);
}
/** Shell text that ends them: forward, or back. */
function forgetUpgrades(layout) {
	return removeNotes(noteFile$1(layout));
}
/** The upgrades that have begun and not ended; none as a rule. */
async function readUpgrades(tools) {
	return await readNote$1(tools, noteFile$1(tools.layout), require_libraries.array(noteSchema$3)) ?? [];
}
function noteFile$1({ state }) {
	return `${state}/upgrade.json`;
}

// src/job/settle-upgrade.ts
/**
* Undoes a major upgrade that an earlier run began and did not end: the old directory, definition and image serve again.
* What the upgrade had filled is kept aside. The rest of the infrastructure and the app are `finishInterrupted`'s, which
* compares the data before they start. To be called before anything else changes the host.
*/
async function settleUpgrade(tools) {
	const notes = await readUpgrades(tools);
	if (notes.length === 0) return;
	const services = notes.map((one) => one.service);
	tools.log.warning(`An upgrade of ${services.join(", ")} was interrupted: the old data and image are put back`);
	for (const line of await putDataBack(tools, notes)) tools.log.warning(line);
	await putDefinitionBack(tools, await readInstalled(tools));
	const images = Object.fromEntries(notes.map((one) => [one.service, one.imageId]));
	const up = tools.stack.up(services, {
		forceRecreate: true,
		noDependencies: true,
		pull: "never",
		images
	});
	await tools.work.step("settle-upgrade", up);
	await tools.work.step("end-upgrade", forgetUpgrades(tools.layout));
	if ((await readStoppedApp(tools))?.awaits === "services") return;
	try {
		await startOthers$1(tools);
		const infrastructure = (await servicesOf$1(tools, "infrastructure")).filter((one) => one.container);
		await tools.work.check("wait-settled", () => waitHealthy(tools, definitions(infrastructure)), void 0);
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		tools.log.warning(`The old data of ${services.join(", ")} is back, but not everything serves: ${messageOf(error)}`);
	}
}
/** The rest of the infrastructure, which the upgrade had stopped as well, where the app waits for a restore whatever the data is. */
async function startOthers$1(tools) {
	const stopped = (await servicesOf$1(tools, "infrastructure")).filter((one) => one.container?.state === "exited");
	for (const one of stopped) await assertSoleServer(tools, one);
	const containers = stopped.map(containerOf);
	if (containers.length > 0) await tools.work.step("start-settled", tools.stack.start(containers));
}
/**
* Stops whatever of the stack runs on these directories and puts the old ones back. Refuses while anybody else uses them
* (S13). Where what gave way is kept, one sentence each.
*/
async function putDataBack(tools, notes) {
	const names = notes.map((one) => one.service);
	const own = async () => (await servicesOf$1(tools, "infrastructure")).filter(({ service }) => names.includes(service.name));
	const containers = (await own()).flatMap((one) => one.container ?? []);
	if (containers.length > 0) await tools.work.step("stop-upgraded", tools.stack.stop(containers, { graceSeconds: 120 }));
	for (const one of await own()) await assertSoleServer(tools, one);
	const kept = [];
	for (const note of notes) {
		const { stdout } = await tools.work.step(`put-data-back-${note.service}`, putAsideBack(note, note.failed));
		if (/^kept$/m.test(stdout)) kept.push(`What the upgrade of ${note.service} had filled is in ${note.failed}, with whatever others than the app have written to the new server.`);
	}
	return kept;
}

// src/job/fall-back.ts
/**
* The way back from new containers that do not serve the same data, rung by rung, each proven: the previous images and
* definition on the same data, or on the directory that an upgrade had set aside; where that does not serve either, the
* backup of this run, for those services alone whose data is proven to be lost. Throws when no rung holds.
*/
async function fallBack(tools, replacement, stopped) {
	const { services, upgrades, putBack } = replacement;
	const known = services.filter((one) => one.container);
	const images = Object.fromEntries(known.map((one) => [one.service.name, containerOf(one).imageId]));
	const notes = upgrades.map(({ note }) => note);
	const before = await stoppedWith(tools, known, {
		...stopped,
		except: notes.map(({ service }) => service)
	});
	const gaveWay = [];
	const failed = await backToPrevious(tools, {
		services,
		images,
		before,
		proven: stopped.proven,
		putBack: async () => {
			if (notes.length > 0) {
				await tools.work.step("note-way-back", writeUpgrades(tools.layout, notes));
				gaveWay.push(...await putDataBack(tools, notes));
			}
			await putBack();
		}
	});
	if (notes.length > 0) await tools.work.step("end-upgrade", forgetUpgrades(tools.layout));
	if (!failed) return {
		rung: notes.length > 0 ? "previous-data" : "previous-images",
		kept: gaveWay,
		differences: []
	};
	tools.log.warning(`The previous images do not serve either: ${messageOf(failed.error)}. What has lost its data is restored.`);
	const restored = await restoreBroken(tools, replacement, {
		before,
		dumps: stopped.dumps
	});
	await startRest(tools, known, images);
	return {
		rung: restored.length > 0 ? "backup" : notes.length > 0 ? "previous-data" : "previous-images",
		kept: [...gaveWay, ...restored.map((one) => one.kept)],
		differences: restored.map((one) => one.difference)
	};
}
/** The first rung: the previous images and definition on the data that is there, compared; why it does not hold, undefined when it does. */
async function backToPrevious(tools, previous) {
	const { services, images, before, proven } = previous;
	const known = services.filter((one) => one.service.name in images);
	await stopRest(tools, services);
	const unproven = proven ? [] : before.map(({ service }) => service);
	await killStores(tools, known, async (one) => {
		const { name } = one.service;
		return one.container?.imageId !== images[name] && unproven.includes(name) || !await isWhole(one, before);
	});
	await stopContainers(tools, "stop-added", services.filter((one) => !known.includes(one)));
	await previous.putBack();
	return tryCompared(tools, {
		services: known,
		before,
		step: {
			start: "put-images-back",
			wait: "wait-previous",
			compare: "fingerprint-previous"
		},
		...comparedOnce(tools, await readStoppedApp(tools), (names) => upPrevious(tools, names, images))
	});
}
function upPrevious({ stack }, services, images) {
	const own = Object.fromEntries(Object.entries(images).filter(([name]) => services.includes(name)));
	return stack.up(services, {
		forceRecreate: true,
		noDependencies: true,
		pull: "never",
		images: own
	});
}
/** After a restore, too, everything runs that ran before. */
async function startRest(tools, known, images) {
	const rest = known.filter((one) => !holdsData(one));
	if (rest.length > 0) await tools.work.step("start-rest", upPrevious(tools, names$1(rest), images));
	await tools.work.check("wait-restored", () => waitHealthy(tools, definitions(known)), void 0);
}
/** Whoever else may write to the stores, before their data is looked at. */
async function stopRest(tools, services) {
	await stopContainers(tools, "stop-rest", services.filter((one) => !holdsData(one)));
}
async function stopContainers(tools, step, services) {
	if (services.length === 0) return;
	const running = (await refresh(tools, services)).flatMap((one) => one.container ?? []).filter(({ state }) => state === "running" || state === "restarting");
	if (running.length > 0) await tools.work.step(step, tools.stack.stop(running));
}
/**
* What the data must be on the way back: what it was at the clean stop, as long as nobody may have written since. Where the
* new data services have served others, these are stopped, then the data services cleanly: what they hold now.
*/
async function stoppedWith(tools, services, { before, proven, except = [] }) {
	if (!proven) return before;
	const found = new Map(before.map((one) => [one.service, one]));
	await stopRest(tools, services);
	try {
		const data = services.filter((one) => holdsData(one) && !except.includes(one.service.name));
		for (const one of await refresh(tools, data)) {
			const left = await one.driver.stop?.(one.service, containerOf(one), tools.work);
			if (left) found.set(one.service.name, left);
		}
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		tools.log.warning(`A new data service could not be stopped cleanly: ${messageOf(error)}`);
	}
	const note = await readStoppedApp(tools);
	const fingerprints = [...found.values()].filter(({ service }) => !except.includes(service));
	if (note?.awaits === "services") await tools.work.step("note-stopped", noteStoppedApp(tools.layout, {
		...note,
		fingerprints
	}));
	return [...found.values()];
}
/** Restores those data services that do not serve what they held; the others are left alone. */
async function restoreBroken(tools, { services, manifest }, { before, dumps }) {
	const data = await refresh(tools, services.filter((one) => one.container && holdsData(one)));
	const lost = [];
	for (const one of data) if (isKeyStore(one) && await hasLost(tools, one, before)) lost.push(one.service.name);
	await killStores(tools, data, async ({ service }) => lost.includes(service.name));
	const restored = [];
	for (const one of await refresh(tools, data)) {
		const { name } = one.service;
		if (isKeyStore(one) ? !lost.includes(name) : await isWhole(one, before)) continue;
		const dump = isKeyStore(one) ? dumps?.get(name) : void 0;
		const held = dump ?? manifest.services.find(({ service }) => service === name);
		if (!held || !one.driver.restore) throw failure("cannot-restore", `${name} cannot be restored`);
		await assertSoleServer(tools, one);
		const aside = isKeyStore(one) ? void 0 : await makeServing(tools, one, manifest.id);
		const [now = one] = await refresh(tools, [one]);
		if (!isKeyStore(one) && aside === void 0 && await isWhole(now, before)) continue;
		const report = await one.driver.restore(one.service, containerOf(now), held, tools.work);
		if (report.caveat !== void 0) tools.log.warning(`${name}: ${report.caveat}`);
		const [was, is] = dump ? ["as the new containers left it", "as it was stopped"] : ["as it was stopped", `as it was at ${manifest.created}`];
		const unread = aside === void 0 ? "" : ` What it could not read is in ${aside}.`;
		restored.push({
			kept: `${name} was restored ${is}; what was written after that is kept. ${report.kept}${unread}`,
			difference: {
				service: name,
				fact: "restored",
				before: was,
				after: is
			}
		});
	}
	return restored;
}
/**
* Kills these stores of keys, for a stop would have them save over the snapshot of the clean stop: data that is not what it
* was, or a newer version's format, which the previous image cannot read. Nobody that we know of has written to one that is
* not proven. A database writes its log as it goes, and is stopped in order.
*/
async function killStores(tools, services, isToDie) {
	for (const one of await refresh(tools, services.filter(isKeyStore))) {
		const { container } = one;
		if (!container || !["running", "restarting"].includes(container.state) || !await isToDie(one)) continue;
		await tools.work.step(`kill-${one.service.name}`, change`docker kill ${container.id}`);
	}
}

// src/job/deployed.ts
/**
* The commits whose files the host runs, from its release history; none where nothing was deployed yet. A history with
* lines that cannot be read says nothing certain: then none as well. Throws when the host gives no answer.
*/
async function readDeployed(tools) {
	const history = await readHistory(tools);
	return history.unreadable.length === 0 ? deployedCommits(history) : {
		infra: void 0,
		app: void 0
	};
}

// src/job/record-infrastructure.ts
/**
* Writes down which commit's infrastructure now runs, with the images: the base of the next run's change detection. A
* commit is named only when all of it is that commit's; otherwise all of it counts as changed. `mixed`: the caller
* knows that it is not.
*/
async function recordInfrastructure(tools, services, { mixed = false } = {}) {
	const now = tools.clock.now();
	const containers = await tools.stack.containers();
	await recordRelease(tools, {
		format: 1,
		id: `infra-${releaseId(now, tools.run.sha)}`,
		kind: "recreate",
		time: now.toISOString(),
		commit: mixed ? "" : await commitOf(tools, services),
		images: services.flatMap(({ service }) => containers.filter((one) => one.service === service.name).map((one) => ({
			service: service.name,
			reference: one.image,
			imageId: one.imageId
		}))),
		run: {
			id: tools.run.id,
			url: tools.run.url,
			actor: tools.run.actor
		},
		status: "good"
	});
}
/** Some services of this commit and the others of another one are no commit's. */
async function commitOf(tools, services) {
	const { sha } = tools.run;
	if ((await tools.stack.servicesOf("infrastructure")).every(({ name }) => services.some(({ service }) => service.name === name))) return sha;
	const { infra } = await readDeployed(tools);
	return infra === sha ? sha : "";
}

// src/job/recreate-result.ts
/** What serves after a recreation: the new containers, or the rung of the way back that held. */
const rungs = [
	"new-containers",
	"previous-images",
	"previous-data",
	"backup"
];
/** What serves now, for a person. */
function describeRung(rung) {
	switch (rung) {
		case "new-containers": return "the new containers serve";
		case "previous-images": return "the previous images serve again, on the same data";
		case "previous-data": return "the previous images serve again, on the data directory from before the upgrade";
		case "backup": return "the previous images serve again, with restored data";
	}
}

// src/job/in-place-note.ts
const replacedSchema = require_libraries.object({
	/** The work that did it: what it replaced in other services belongs to it. */
	run: require_libraries.string$1(),
	at: require_libraries.datetime(),
	/** The backup that holds what was dropped; null where whoever asked for it renounced one. */
	held: require_libraries.string$1().nullable()
});
const noteSchema$2 = require_libraries.object({
	format: require_libraries.literal(1),
	services: require_libraries.record(require_libraries.string$1(), replacedSchema)
});
/** Milliseconds for which the backup of what was dropped stays, whatever retention says: as long as `clean` leaves replaced data. */
const heldFor = 12096e5;
/** Writes down, durably, what the restore under way has dropped, before it ends: well, or with the app left stopped. */
async function noteReplacedInPlace(tools) {
	const dropped = Object.entries((await readRestoring(tools))?.restoring.inPlace?.dropped ?? {});
	if (dropped.length === 0) return;
	const now = {
		run: tools.work.id,
		at: tools.clock.now().toISOString()
	};
	const services = {
		...await readReplacedInPlace(tools),
		...Object.fromEntries(dropped.map(([service, held]) => [service, {
			...now,
			held
		}]))
	};
	await tools.work.step("note-replaced", writeNote(noteFile(tools.layout), {
		format: 1,
		services
	}));
}
/** By service its last restore in place. */
async function readReplacedInPlace(tools) {
	return (await readNote$1(tools, noteFile(tools.layout), noteSchema$2))?.services ?? {};
}
function noteFile({ state }) {
	return `${state}/replaced-in-place.json`;
}

// src/core/backup-id.ts
/** `backup-YYYYMMDD-HHMMSS`, UTC: names a backup of all services taken together. */
function backupId(time) {
	return `backup-${digits(time, "")}`;
}
/** `YYYY-MM-DD-HHMMSS`, UTC: the part of file names that tells when. */
function backupStamp(time) {
	return digits(time, "-");
}
/** When the backup of this id began; undefined when the text is no id or names no day that exists. */
function backupTime(id) {
	const parts = /^backup-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(id)?.slice(1);
	if (!parts) return void 0;
	const [year, month, day, hour, minute, second] = parts;
	const time = /* @__PURE__ */ new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
	return Number.isNaN(time.getTime()) || backupId(time) !== id ? void 0 : time;
}
/** Path of an artifact, relative to the backup directory: `postgres/postgres-2026-01-31-020000-app.dump`. */
function artifactFile(folder, { service, stamp, part, extension }) {
	const tail = part === void 0 ? "" : `-${fileNamePart(part)}`;
	return `${folder}/${fileNamePart(service)}-${stamp}${tail}${extension}`;
}
/** Any text as part of a file name: letters, digits, `_`, `-` and `.` stay, other bytes become `%XX`. Distinct texts stay distinct. */
function fileNamePart(text) {
	return [...new TextEncoder().encode(text)].map((byte) => /[A-Za-z0-9_.-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : percent(byte)).join("");
}
function percent(byte) {
	return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
function digits(time, separator) {
	const [date = "", clock = ""] = time.toISOString().split("T");
	return `${date.replaceAll("-", separator)}-${clock.slice(0, 8).replaceAll(":", "")}`;
}

// src/core/drill-record.ts
const checkSchema = require_libraries.strictObject({
	name: require_libraries.string$1(),
	state: require_libraries._enum([
		"ok",
		"warning",
		"failed",
		"unknown"
	]),
	detail: require_libraries.string$1()
});
const drilledServiceSchema = require_libraries.strictObject({
	service: require_libraries.string$1(),
	/** Id of the image that the backup was restored into; its reference when the service has no container. */
	image: require_libraries.string$1(),
	/** From the start of its container until the restored data was counted, equal and served. */
	seconds: require_libraries.number(),
	tables: require_libraries.int(),
	rows: require_libraries.int(),
	keys: require_libraries.int(),
	checks: require_libraries.array(checkSchema)
});
/** The outcome of one drill of one backup. It lies beside the manifests, for a manifest never changes and has many drills. */
const drillRecordSchema = require_libraries.strictObject({
	format: require_libraries.literal(1),
	/** `drill-YYYYMMDD-HHMMSS`, UTC: when it began. */
	id: require_libraries.string$1().regex(/^drill-\d{8}-\d{6}$/),
	project: require_libraries.string$1(),
	environment: require_libraries.string$1(),
	backup: require_libraries.string$1(),
	/** Whose copy was restored. */
	source: require_libraries._enum(["local", "s3"]),
	/** Whose Docker ran the throw-away servers. */
	where: require_libraries._enum(["host", "runner"]).default("host"),
	started: require_libraries.datetime(),
	run: require_libraries.strictObject({
		id: require_libraries.string$1(),
		url: require_libraries.string$1(),
		actor: require_libraries.string$1()
	}),
	result: require_libraries._enum(["success", "failed"]),
	/** The tier of proof that the copy has by this: the strongest there is. Absent when it failed. */
	proven: require_libraries.literal("restored").optional(),
	/** Why it failed; empty when it did not. */
	reason: require_libraries.string$1(),
	/** From the beginning, fetching included, until every service served the restored data; null when that did not happen. */
	rtoSeconds: require_libraries.number().nullable(),
	/** Age of the backup's data when the drill began: what would be lost. */
	rpoSeconds: require_libraries.number(),
	services: require_libraries.array(drilledServiceSchema)
});
/** Path of a drill's record, relative to the backup directory and, in S3, to the prefix. */
function drillFile({ id, ...owner }) {
	return `metadata/${id}${drillTail(owner)}`;
}
/** What comes behind the id in the name of an owner's record: those of others who share a store need not be read. */
function drillTail({ project, environment }) {
	return `-${fileNamePart(project)}.${fileNamePart(environment)}.json`;
}
/** `drill-YYYYMMDD-HHMMSS`, UTC. */
function drillId(time) {
	return `drill-${backupStamp(time).replace(/^(\d{4})-(\d\d)-(\d\d)-/, "$1$2$3-")}`;
}
/** The record's bytes as they are stored. */
function printDrillRecord(record) {
	return `${JSON.stringify(drillRecordSchema.parse(record), void 0, 2)}\n`;
}
/** Reads records' texts: this environment's, newest first, and those that cannot be read. */
function readDrillRecords(texts, { project, environment }) {
	const read = texts.map(({ name, text }) => ({
		name,
		...readDrillRecord(text)
	}));
	return {
		records: read.flatMap(({ record }) => record?.project === project && record.environment === environment ? [record] : []).toSorted((a, b) => Date.parse(b.started) - Date.parse(a.started)),
		unreadable: read.flatMap(({ name, problem }) => problem === void 0 ? [] : [`${name}: ${problem}`])
	};
}
/** The newest drill of one store's copy of a backup, from records newest first; undefined when it was never tried. */
function lastDrill(records, { backup, source }) {
	return records.find((one) => one.backup === backup && one.source === source);
}
function readDrillRecord(text) {
	try {
		const { data, error } = drillRecordSchema.safeParse(JSON.parse(text));
		if (data) return { record: data };
		return { problem: `${error?.issues[0]?.path.join(".")}: ${error?.issues[0]?.message}` };
	} catch (error) {
		return { problem: messageOf(error) };
	}
}

// src/core/key-counts.ts
/** Keys in all databases. */
function totalKeys(keyspace) {
	return keyspace.reduce((sum, one) => sum + one.keys, 0);
}
/** Keys without an expiry by database: the only count that time alone does not change. */
function persistentKeys(keyspace) {
	return new Map(keyspace.filter((one) => one.keys > one.expires).map((one) => [one.database, one.keys - one.expires]));
}
/** Keys in the files of a backup, as exactly as it is known. */
function keysIn({ keyspace, written }) {
	return written ?? totalKeys(keyspace);
}
/** What a manifest can say of it. Equal counts alone prove nothing: what came and went in between may be in the snapshot. */
function countsOf({ before, after, written, quiet }) {
	const sure = quiet && isSame(before, after) && (written === void 0 || written === totalKeys(after));
	return {
		keyspace: [...after],
		...written === void 0 ? {} : { written },
		...sure ? {} : { earlier: [...before] }
	};
}
/**
* By database. One number where the counts are those of the snapshot; else what lies between the counts before and after
* it, and as much more on both sides as they are off from what was written.
*/
function keyRanges({ keyspace, earlier, written }) {
	const after = persistentKeys(keyspace);
	const before = earlier === void 0 ? after : persistentKeys(earlier);
	const off = earlier === void 0 ? 0 : Math.abs((written ?? totalKeys(keyspace)) - totalKeys(keyspace));
	return new Map([.../* @__PURE__ */ new Set([...before.keys(), ...after.keys()])].map((database) => {
		const seen = [before.get(database) ?? 0, after.get(database) ?? 0];
		return [database, {
			least: Math.max(0, Math.min(...seen) - off),
			most: Math.max(...seen) + off
		}];
	}));
}
function isSame(one, other) {
	const text = (keyspace) => keyspace.filter(({ keys }) => keys > 0).map(({ database, keys, expires }) => `${database}:${keys}:${expires}`).toSorted().join();
	return text(one) === text(other);
}

// src/core/manifest-contents.ts
/**
* Every count of databases that is not exactly as expected: rows per table, tables that are missing or have come up,
* large objects. Empty means: equal.
*/
function compareDatabases(expected, actual) {
	return compareCounts(databaseCounts(expected), databaseCounts(actual));
}
/** Tables, and large objects, whose content differs although their count may not; only those whose checksum both have. */
function differentContent(expected, actual) {
	const now = databaseChecksums(actual);
	return [...databaseChecksums(expected)].filter(([what, checksum]) => now.has(what) && now.get(what) !== checksum).map(([what]) => what);
}
/** Every count that differs between two maps; a count that is missing on one side is -1 there. */
function compareCounts(expected, actual) {
	return [.../* @__PURE__ */ new Set([...expected.keys(), ...actual.keys()])].map((what) => ({
		what,
		expected: expected.get(what) ?? -1,
		actual: actual.get(what) ?? -1
	})).filter((count) => count.expected !== count.actual);
}
/** One line for a person: `app.public.users rows: 17 instead of 20`. */
function describeDifference({ what, expected, actual }) {
	if (actual === -1) return `${what}: not there, expected ${expected}`;
	if (expected === -1) return `${what}: ${actual}, not expected at all`;
	return `${what}: ${actual} instead of ${expected}`;
}
/** What a backup holds, summed up; `bytes` as stored. */
function totals(services) {
	const databases = services.flatMap(({ contents }) => contents.kind === "postgres" ? contents.databases : []);
	const keys = services.map(({ contents }) => contents.kind === "postgres" ? 0 : keysIn(contents));
	const tables = databases.flatMap((database) => database.tables);
	return {
		bytes: sum$2(services.flatMap(({ artifacts }) => artifacts.map(({ bytes }) => bytes))),
		tables: tables.length,
		rows: sum$2(tables.map(({ rows }) => rows)),
		keys: sum$2(keys)
	};
}
/**
* Whether this manifest is proof of a good backup in `store`. A manifest is only written after the local files were
* proven (S1); in S3 it also takes an upload whose bytes were compared, by a tier that is named, for every file. Of
* `drills`, newest first, the last one of this copy disproves it when it failed.
*/
function isProven(manifest, store, drills = []) {
	if (lastDrill(drills, {
		backup: manifest.id,
		source: store
	})?.result === "failed") return false;
	if (store === "local") return manifest.storage.local === "success";
	const stored = new Set(manifest.storage.objects.map(({ file }) => file));
	const files = manifest.services.flatMap(({ artifacts }) => artifacts.map(({ file }) => file));
	return manifest.storage.s3 === "success" && manifest.storage.tier !== void 0 && files.every((file) => stored.has(file));
}
function databaseCounts(databases) {
	return new Map(databases.flatMap(({ name, tables, largeObjects }) => [...tables.map((table) => [`${name}.${table.schema}.${table.name} rows`, table.rows]), [`${name} large objects`, largeObjects]]));
}
function databaseChecksums(databases) {
	const all = databases.flatMap(({ name, tables, largeObjectsChecksum }) => [...tables.map((table) => [`${name}.${table.schema}.${table.name}`, table.checksum]), [`${name} large objects`, largeObjectsChecksum]]);
	return new Map(all.flatMap(([what, checksum]) => checksum === void 0 ? [] : [[what, checksum]]));
}
function sum$2(numbers) {
	return numbers.reduce((total, number) => total + number, 0);
}

// src/storage/manifest-file.ts
/** The folder of manifests, in the backup directory and below the prefix in S3. */
const manifestFolder = "metadata";
/** Where a backup's manifest lies, relative to the backup directory or the prefix. */
function manifestFile(id) {
	return `${manifestFolder}/${id}.json`;
}
/** The manifest's bytes as every store keeps them. */
function printManifest(manifest) {
	return `${JSON.stringify(manifestSchema.parse(manifest), void 0, 2)}\n`;
}
/** What a manifest's text says, or why it cannot be read. */
function readManifest(text) {
	try {
		const result = manifestSchema.safeParse(JSON.parse(text));
		if (result.success) return { manifest: result.data };
		const [issue] = result.error.issues;
		return { problem: `${issue?.path.join(".") || "manifest"}: ${issue?.message ?? "does not match"}` };
	} catch (error) {
		return { problem: messageOf(error) };
	}
}
/** The files that a manifest names. Throws when one would lie outside of the backup directory: such a manifest is not ours. */
function artifactFiles(manifest) {
	const files = manifest.services.flatMap(({ artifacts }) => artifacts.map(({ file }) => file));
	const foreign = files.find((file) => !/^[a-z]+\/[^/\n]+$/.test(file) || file.includes("/.."));
	if (foreign === void 0) return files;
	throw inputError("manifest-path", `the manifest of ${manifest.id} names a file outside of the backup directory: ${foreign}`);
}
/** A file's content as text; `bytes` is the length that it should have, -1 when it could not be read. */
function namedText(name, content, bytes = content.length) {
	const shown = /^[\w./-]+$/.test(name) ? name : JSON.stringify(name);
	const bad = (problem) => ({
		name: shown,
		text: "",
		problem
	});
	if (bytes < 0) return bad("the file cannot be read");
	if (bytes !== content.length) return bad(`${content.length} of ${bytes} bytes could be read`);
	try {
		return {
			name: shown,
			text: new TextDecoder("utf-8", {
				fatal: true,
				ignoreBOM: true
			}).decode(content)
		};
	} catch {
		return bad("damaged: it is no UTF-8 text");
	}
}
/** Sorts manifests' texts into this environment's backups, newest first, and those that cannot be read, named with why. */
function sortManifests(texts, { project, environment }) {
	const manifests = [];
	const unreadable = [];
	for (const { name, text, problem } of texts) {
		const read = problem === void 0 ? readManifest(text) : { problem };
		if ("problem" in read) unreadable.push(`${name}: ${read.problem}`);
		else if (read.manifest.project === project && read.manifest.environment === environment) manifests.push(read.manifest);
	}
	manifests.sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1));
	return {
		manifests,
		unreadable
	};
}
/** What manifests name, whoever's they are. Throws when one of them cannot be read: nobody knows what it names. */
function namedBy(texts, prefix = "") {
	const [ids, paths, keys] = [
		/* @__PURE__ */ new Set(),
		/* @__PURE__ */ new Set(),
		/* @__PURE__ */ new Set()
	];
	for (const { name, text, problem } of texts) {
		const read = problem === void 0 ? readManifest(text) : { problem };
		if ("problem" in read) throw failure("manifest-unreadable", `${name} cannot be read: ${read.problem}`);
		const { manifest } = read;
		ids.add(manifest.id);
		for (const file of artifactFiles(manifest)) paths.add(file);
		for (const { key } of manifest.storage.objects) {
			keys.add(key);
			paths.add(key.startsWith(prefix) ? key.slice(prefix.length) : key);
		}
	}
	return {
		ids,
		paths,
		keys
	};
}

// src/core/latest-backup.ts
/**
* What `latest` means: the newest backup that holds all of these services, those apart that no backup holds; without a
* list the newest of all. A backup may be given more than once, as the copies of different stores.
*/
function latestBackup(backups, services) {
	const sorted = [...new Map(backups.map((one) => [one.id, one])).values()].sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1));
	const unheld = (services ?? []).filter((service) => !sorted.some((one) => holds$2(one, service)));
	const wanted = (services ?? []).filter((service) => !unheld.includes(service));
	const holdsWhatItMust = (one) => wanted.every((service) => holds$2(one, service));
	const at = services !== void 0 && wanted.length === 0 ? -1 : sorted.findIndex(holdsWhatItMust);
	const others = at < 0 ? sorted : sorted.slice(0, at);
	return {
		id: sorted[at]?.id,
		partial: others.filter((one) => wanted.some((service) => holds$2(one, service))),
		unheld
	};
}
/** Milliseconds by which the clocks of two machines may differ. */
const clockSkew = 3e5;
/** Whether it is dated so far after now that a clock is wrong, or was: how old it is, and what came after it, is not known. */
function isDatedAhead({ created }, now) {
	return Date.parse(created) - now.getTime() > clockSkew;
}
/** Whether it has this service's data. */
function holds$2({ services }, name) {
	return services.some(({ service }) => service === name);
}

// src/core/retention.ts
const periods = [
	"last",
	"daily",
	"weekly",
	"monthly"
];
/**
* What to keep and what to remove, newest first, and why. The rule is restic's `forget` (`snapshot_policy.go`): each
* period keeps the newest backup of each day, ISO week or month (UTC) that has one, until its count is used up; a backup
* stays when any period wants it; while a count is left, the oldest stays too. A backup takes the place only of those
* that hold nothing that it does not: one of some services never costs one of all. On top of it S8: only proven backups
* count, the newest proven one of each service stays, what is in use stays, and an empty policy removes nothing; neither does
* anything go while a date shows that a clock was wrong.
*/
function decideRetention(items, { policy, now, inUse = /* @__PURE__ */ new Set(), made }) {
	const sorted = [...items].sort((a, b) => timeOf$1(b) - timeOf$1(a) || (a.id < b.id ? 1 : -1));
	const isFuture = (item) => timeOf$1(item) > now.getTime();
	const counted = sorted.filter((item) => item.proven && !isFuture(item));
	const wanted = wantedAmongRivals(policy, counted);
	const emptyPolicy = periods.every((period) => policy[period] <= 0);
	const wrongClock = items.some((item) => isDatedAhead(item, now) || made && timeOf$1(item) > made.getTime());
	const reasonsOf = (item) => [
		...wanted.get(item) ?? [],
		...inUse.has(item.id) ? ["in-use"] : [],
		...Date.parse(item.lockedUntil ?? "") > now.getTime() ? ["locked"] : [],
		...isFuture(item) ? ["future"] : [],
		...emptyPolicy ? ["empty-policy"] : [],
		...wrongClock ? ["clock"] : []
	];
	const mayBeAllThereIs = (item) => {
		const oldestKept = counted.findLast((one) => holdsAll(one, item) && reasonsOf(one).length > 0);
		return !oldestKept || timeOf$1(item) >= timeOf$1(oldestKept);
	};
	const wantedIfProven = (item) => wantedAmongRivals(policy, sorted.filter((one) => one === item || counted.includes(one))).get(item)?.length;
	return sorted.map((item) => {
		const reasons = reasonsOf(item);
		if (!item.proven && (mayBeAllThereIs(item) || wantedIfProven(item))) return keep$1(item, [...reasons, "unproven"]);
		if (reasons.length > 0) return keep$1(item, reasons);
		return {
			id: item.id,
			keep: false,
			reasons: [item.proven ? "outside-policy" : "unproven-and-older"]
		};
	});
}
/**
* The same before a backup of `services` is made, for a disk that has no room for one more: what it will push out goes already,
* but for what is the newest proven backup of any service now, or may be all there is of its time: the coming one may
* fail (S8).
*/
function decideRetentionBefore(items, services, options) {
	const coming = {
		id: "",
		created: options.now.toISOString(),
		services,
		proven: true
	};
	const now = new Map(decideRetention(items, options).map((one) => [one.id, one]));
	return decideRetention([coming, ...items], options).filter(({ id }) => id !== coming.id).map((later) => {
		const today = now.get(later.id);
		return today?.keep && ["newest-proven", "unproven"].some((one) => today.reasons.includes(one)) ? today : later;
	});
}
/** Each backup is counted among those that hold all that it holds; they are sorted newest first. */
function wantedAmongRivals(policy, counted) {
	const wanted = /* @__PURE__ */ new Map();
	for (const alike of Map.groupBy(counted, ({ services }) => JSON.stringify([...services].sort())).values()) {
		const [first] = alike;
		const rivals = counted.filter((one) => first && holdsAll(one, first));
		const byPeriod = wantedBy(policy, rivals);
		for (const item of alike) wanted.set(item, [...byPeriod.get(item) ?? [], ...item === rivals[0] ? ["newest-proven"] : []]);
	}
	return wanted;
}
function holdsAll(one, { services }) {
	return services.every((service) => one.services.includes(service));
}
/** restic's rule, over backups sorted newest first. */
function wantedBy(policy, counted) {
	const wanted = /* @__PURE__ */ new Map();
	for (const period of periods) {
		let left = policy[period];
		let previous;
		for (const [index, item] of counted.entries()) {
			if (left <= 0) break;
			const key = period === "last" ? String(index) : periodKey(period, new Date(item.created));
			const isNew = key !== previous;
			if (!isNew && index !== counted.length - 1) continue;
			const reason = isNew || period === "last" ? period : `oldest-${period}`;
			wanted.set(item, [...wanted.get(item) ?? [], reason]);
			previous = key;
			left -= 1;
		}
	}
	return wanted;
}
/** Names the day, ISO 8601 week or month, in UTC, that a time falls in. */
function periodKey(period, time) {
	const date = time.toISOString();
	if (period === "daily") return date.slice(0, 10);
	return period === "monthly" ? date.slice(0, 7) : isoWeek(time);
}
/** A week belongs to the year of its Thursday. */
function isoWeek(time) {
	const day = 864e5;
	const weekday = (time.getUTCDay() + 6) % 7;
	const thursday = /* @__PURE__ */ new Date(Math.floor(time.getTime() / day) * day + (3 - weekday) * day);
	const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
	const week = Math.floor((thursday.getTime() - newYear) / (7 * day)) + 1;
	return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}
function keep$1(item, reasons) {
	return {
		id: item.id,
		keep: true,
		reasons
	};
}
function timeOf$1({ created }) {
	return Date.parse(created);
}

// src/core/leftovers.ts
/** A day in milliseconds: for so long a runner that was only stalled could still publish what it has put into S3. */
const safeAge = 864e5;
/** Folders of artifacts, in the backup directory and below the prefix in S3. */
const folders = ["postgres", "dragonfly"];
/** What the paths of all files of such a backup begin with: `postgres/postgres-2026-01-31-020000`. */
function stemsOf({ stamp, services }) {
	return folders.flatMap((folder) => services.map((service) => `${folder}/${fileNamePart(service)}-${stamp}`));
}
/**
* Those whose files in a store may go: that store has no manifest of them, and they were to be removed from it, or were
* not published in time. On the host that is at once, for the lock is ours; there S3's manifest alone is none. What S3 has
* of a backup that the host has without it, the notes of its uploads tell.
*/
function deadIn(store, { begun, held, now }) {
	const has = (name, id) => held.get(name)?.ids.has(id) ?? false;
	return begun.filter(({ id, at, from }) => {
		if (has(store, id)) return false;
		if (from !== void 0) return from === store;
		return store === "local" || !has("local", id) && isOld(at, now);
	});
}
/**
* Those of a store's files that are surely left of a backup that was killed: a run of ours wrote down that it would make or
* remove files of this name, its backup is dead there, and no manifest there names the file.
*/
function leftovers(store, files, options) {
	const stems = deadIn(store, options).flatMap(stemsOf);
	const named = options.held.get(store)?.paths;
	return files.filter((file) => !named?.has(file) && stems.some((stem) => isBelow(file, stem)));
}
/**
* Half written files that are surely of a dead run of ours: what they would have become is a file of a backup that a run
* of ours began, or one that our own manifests name, and so brought here from another store.
*/
function halfWritten(files, { begun, own }) {
	const stems = begun.flatMap(stemsOf);
	const manifests = begun.map(({ id }) => `metadata/${id}.json`);
	return files.filter((file) => {
		const [whole = ""] = file.split(/\.partial(?:\.|$)/);
		if (whole === file) return false;
		return own.has(whole) || manifests.includes(whole) || stems.some((stem) => isBelow(whole, stem));
	});
}
/** Notes that say nothing any more, once all leftovers that may go are gone. */
function settled({ begun, held, now }) {
	const published = (id) => [...held.values()].some(({ ids }) => ids.has(id));
	return begun.filter(({ id, at, from }) => from !== void 0 || published(id) || !held.has("s3") || isOld(at, now));
}
function isOld(at, now) {
	return now.getTime() - Date.parse(at) >= safeAge;
}
function isBelow(file, stem) {
	return file.startsWith(stem) && /^[-.]/.test(file.slice(stem.length));
}

// src/job/prune-unstarted.ts
/**
* Removes throw-away containers of ours that a kill left made and never started, older than `age` (as Docker writes it): a
* younger one may be about to start, for somebody with another lock.
*/
async function pruneUnstarted({ host, work }, age = "10m") {
	const label = "label=infra-actions.scratch";
	const { stdout } = await host.run(sh`docker ps --all --quiet --filter ${label} --filter status=created`);
	if (stdout.trim() === "") return;
	await work.step("prune-unstarted", change`docker container prune --force --filter ${label} --filter ${`until=${age}`}`);
}

// src/core/backup-inventory.ts
/** Every backup that any store has, newest first, each once, with its copies side by side. */
function backupInventory(stores, { now, configured, drills = [] }) {
	const ids = new Set(stores.flatMap(({ manifests }) => manifests.map(({ id }) => id)));
	const listed = configured.every((name) => stores.some(({ store }) => store === name));
	return [...ids].flatMap((id) => {
		const held = stores.flatMap((from) => {
			const manifest = from.manifests.find((one) => one.id === id);
			return manifest ? [{
				from,
				manifest
			}] : [];
		});
		const [first] = held;
		if (!first) return [];
		const { created, services } = first.manifest;
		return {
			id,
			created,
			age: now.getTime() - Date.parse(created),
			bytes: totals(services).bytes,
			services: services.map(({ service }) => service),
			sync: syncOf(held, configured.length, listed),
			copies: held.map(({ from, manifest }) => copyOf(from, manifest, lastDrill(drills, {
				backup: id,
				source: from.store
			})))
		};
	}).sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? 1 : -1));
}
/** Whether two manifests describe the same bytes: the same files with the same lengths and SHA-256. */
function sameBytes(a, b) {
	return filesOf(a) === filesOf(b);
}
function syncOf([first, second], configured, listed) {
	if (first && second) return sameBytes(first.manifest, second.manifest) ? "in-sync" : "differs";
	if (configured < 2) return "single";
	if (!listed) return "unknown";
	return first?.from.store === "s3" ? "s3-only" : "local-only";
}
function copyOf({ store, decisions, problems }, manifest, drill) {
	const decision = decisions.find(({ id }) => id === manifest.id);
	const found = problems?.get(manifest.id);
	const { lockedUntil } = manifest.storage;
	return {
		store,
		proven: drill?.result === "success" ? "restored" : provenBy(store, manifest, drill),
		...drill && { drill: summed(drill) },
		keep: decision?.keep ?? true,
		reasons: decision?.reasons ?? [],
		...store === "s3" && lockedUntil !== void 0 && { lockedUntil },
		...found && { problems: found }
	};
}
function summed({ started, result, reason, rtoSeconds, rpoSeconds }) {
	return {
		at: started,
		result,
		reason,
		rtoSeconds,
		rpoSeconds
	};
}
function provenBy(store, manifest, drill) {
	if (!isProven(manifest, store, drill && [drill])) return "unproven";
	return store === "local" ? "sha256" : manifest.storage.tier ?? "unproven";
}
function filesOf({ services }) {
	return services.flatMap(({ artifacts }) => artifacts.map((one) => [
		one.file,
		one.bytes,
		one.sha256
	].join("\0"))).sort().join("\n");
}

// src/job/known-drills.ts
/** Each store has the records of all drills that reached it: together they are all that is known. Reads each of them once. */
async function knownDrills({ signal }, stores) {
	const found = /* @__PURE__ */ new Map();
	const untold = /* @__PURE__ */ new Set();
	const problems = [];
	for (const store of stores) try {
		const { records, unreadable } = await store.drills(new Set(found.keys()));
		for (const record of records) found.set(record.id, record);
		problems.push(...unreadable.map((one) => `${store.name}: ${one} is no readable record of a drill`));
	} catch (error) {
		if (signal.aborted) throw error;
		untold.add(store.name);
		problems.push(`${store.name}: the records of drills could not be read: ${messageOf(error)}`);
	}
	return {
		records: [...found.values()].toSorted((a, b) => Date.parse(b.started) - Date.parse(a.started)),
		untold,
		problems
	};
}

// src/job/stores.ts
function localStore$1(stores) {
	const local = stores.find((one) => one.name === "local");
	if (!local) throw failure("no-local-store", "the local backup store is missing");
	return local;
}
function remoteStore(stores) {
	return stores.find((one) => one.name === "s3");
}
/** The manifest of a backup of which S3 now has the artifacts. */
function storedInS3(manifest, { tier, objects, lockedUntil }) {
	if (tier === "sha256") throw failure("bad-tier", "an S3 store cannot prove by a local checksum");
	const lock = lockedUntil === void 0 ? {} : { lockedUntil };
	return {
		...manifest,
		storage: {
			local: "success",
			s3: "success",
			tier,
			...lock,
			objects
		}
	};
}
/**
* The backup of this id, or for `latest` the newest proven one, from the lists of the stores asked for. Throws an input
* error that lists what there is when the id is unknown, and a refusal when `latest` cannot be known: a store that may
* have a newer one cannot be listed, no single backup holds the services, or it is dated in the future. For an id a store that cannot be listed is an
* error, unless another has it.
*/
async function findBackup(tools, id, source, options = {}) {
	const lists = await Promise.all(storesOf(tools, source).map((store) => listed(store)));
	const chosen = id === "latest" ? await chooseLatest(tools, lists, options) : id;
	const found = lists.flatMap(({ store, manifests }) => manifests.filter((manifest) => manifest.id === chosen).map((manifest) => ({
		store,
		manifest
	})));
	const [first] = found;
	if (!first) throw notFound(id, lists);
	const manifests = new Map(found.map((one) => [one.store.name, one.manifest]));
	return {
		manifest: first.manifest,
		stores: found.map((one) => one.store),
		manifests
	};
}
/** The stores that a source means. Throws an input error when there is none. */
function storesOf({ stores }, source) {
	const asked = stores.filter((one) => source === "auto" || one.name === source);
	if (asked.length > 0) return asked;
	throw inputError("no-such-store", `source: ${source}, but S3 is not configured`, { hint: "Add backup.s3 to infra.yml, or use source: local." });
}
/** Says what speaks against taking it for the latest, and refuses where that is not to be known. */
async function chooseLatest(tools, lists, { services, drillFailed = false }) {
	const published = lists.flatMap(({ store, manifests }) => manifests.filter((one) => isProven(one, store.name)));
	const proven = drillFailed ? published : await withoutFailedDrills(tools, lists);
	const failed = lists.find(({ error }) => error !== void 0);
	if (published.length === 0) return void 0;
	if (failed) throw unknownLatest(failed, lists);
	if (proven.length === 0) throw refusal("no-latest", "backup-id: latest, but the last drill of every backup failed", { hint: "`backups` says why each failed. To restore one all the same, give its id." });
	const wanted = services === "all" ? names$1(await dataServices(tools)) : services;
	const { id, partial, unheld } = latestBackup(proven, wanted);
	const some = partial.slice(0, 5).map((one) => `${one.id} (${one.services.map(({ service }) => service).join(", ")})`);
	if (id === void 0) throw refusal("no-latest", `backup-id: latest, but no backup holds all of ${wanted?.join(", ")}`, { hint: `Give the id of one, or name services that one holds${some.length > 0 ? `: ${some.join("; ")}` : ""}.` });
	const chosen = proven.find((one) => one.id === id);
	if (chosen && isDatedAhead(chosen, await hostNow(tools))) throw refusal("latest-unknown", `backup-id: latest, but ${id} is dated in the future: a clock is wrong, or was`, { hint: "Give the id of a backup: `backups` lists them." });
	for (const newer of new Set(published.map((one) => one.id).filter((one) => one > id && !proven.some((other) => other.id === one)))) tools.log.warning(`${newer} is newer, but its last drill failed: it is not taken for the latest`);
	if (unheld.length > 0) tools.log.warning(`No backup holds ${unheld.join(", ")}`);
	if (some.length > 0) tools.log.warning(`${id} is the newest backup that holds all; newer ones hold some services only: ${some.join("; ")}`);
	for (const { store, unreadable } of lists) for (const line of unreadable) if ((/backup-\d{8}-\d{6}/.exec(line)?.[0] ?? "z") > id) tools.log.warning(`${store.name}: ${line} is no readable manifest; it may be of a newer backup than ${id}`);
	return id;
}
/** Copies that are proven, and that no drill has disproved since. */
async function withoutFailedDrills(tools, lists) {
	const listed = lists.filter(({ error }) => error === void 0);
	const { records, problems } = await knownDrills(tools, listed.map(({ store }) => store));
	for (const problem of problems) tools.log.warning(problem);
	return listed.flatMap(({ store, manifests }) => manifests.filter((one) => isProven(one, store.name, records)));
}
function unknownLatest({ store, error }, lists) {
	const other = lists.find((one) => one.error === void 0)?.store.name;
	return refusal("latest-unknown", `backup-id: latest, but ${store.name} may have a newer backup and cannot be listed: ${messageOf(error)}`, {
		hint: `Give the id of a backup, or source: ${other} to take the newest one there.`,
		cause: error
	});
}
function notFound(id, lists) {
	const failed = lists.find(({ error }) => error !== void 0);
	if (failed) return failed.error;
	const [line] = lists.flatMap(({ unreadable }) => unreadable.filter((one) => id === "latest" || one.includes(id)));
	if (line !== void 0) return failure("manifest-unreadable", `backup-id: ${id}, but a manifest cannot be read: ${line}`);
	const ids = [...new Set(lists.flatMap(({ manifests }) => manifests.map((one) => one.id)))].sort().reverse();
	return inputError("unknown-backup", `backup-id: there is no backup ${id}`, { hint: ids.length > 0 ? `There are: ${ids.slice(0, 10).join(", ")}; or use latest.` : "There is no backup at all." });
}
/**
* Makes sure that the backup's files lie on the host as the manifest says: the local ones if their checksums hold,
* else fetched anew from each other store that has them, three times. Throws with every reason when none is whole.
*/
async function bringLocal(tools, { manifest, stores, manifests }) {
	const reasons = [];
	for (const store of stores) for (let attempt = 1; attempt <= (store.name === "local" ? 1 : 3); attempt++) try {
		const own = manifests?.get(store.name) ?? manifest;
		if (!sameBytes(own, manifest)) throw failure("copies-differ", "its manifest names other bytes than the nearer copy's");
		await store.fetch(own, tools.work);
		return store.name;
	} catch (error) {
		if (tools.signal.aborted) throw error;
		reasons.push(`${store.name}: ${messageOf(error)}`);
		tools.log.warning(`The copy of ${manifest.id} in ${store.name} cannot be used: ${messageOf(error)}`);
		if (error instanceof AppError && error.kind === "input") break;
	}
	throw failure("backup-unusable", `no whole copy of ${manifest.id}: ${reasons.join("; ")}`, { hint: "Restore another backup-id." });
}
/** Takes back what was stored of a backup that is not going to be published. What stops it is told, and never hides `reason`. */
async function discard$1(tools, backup, reason) {
	if (tools.signal.aborted) return;
	for (const store of tools.stores) try {
		await store.discard(backup, tools.work);
	} catch (error) {
		tools.log.warning(`${messageOf(reason)}; unpublished files stay in ${store.name}: ${messageOf(error)}`);
	}
}
async function listed(store) {
	try {
		const { backups, unreadable } = await store.list();
		return {
			store,
			manifests: backups.map((one) => one.manifest),
			unreadable
		};
	} catch (error) {
		return {
			store,
			manifests: [],
			unreadable: [],
			error
		};
	}
}

// src/job/clean-leftovers.ts
/**
* Removes what killed backups, removals and upgrades left in the stores: files and objects whose names an earlier run wrote
* down, of a backup that has no manifest there. On the host at once, for the lock is ours; objects in S3 after a day, those
* of a backup that was published without them as well; unfinished uploads at once, by their ids. A backup that was published
* in S3 alone and lies here whole is published here. What a lock in S3 keeps is told, and looked at again by the next run.
* To be called under the lock before a backup begins. What goes wrong is a warning: the next run tries again.
*/
async function cleanLeftovers(tools) {
	if (tools.work.dryRun) return;
	try {
		await pruneUnstarted(tools);
		const begun = await readBegun(tools);
		const mine = (await localStore$1(tools.stores).list()).backups.map(({ manifest }) => manifest);
		const own = {
			ids: new Set(mine.map(({ id }) => id)),
			paths: new Set(mine.flatMap((one) => artifactFiles(one)))
		};
		await cleanHalves(tools, {
			begun,
			own: own.paths
		});
		const noted = await remoteStore(tools.stores)?.uploads?.noted() ?? [];
		const stored = new Set(mine.flatMap(({ storage }) => storage.objects.map(({ key }) => key)));
		let objects = await endUploads(tools, noted, stored);
		const known = {
			begun,
			held: /* @__PURE__ */ new Map([["local", own]]),
			now: tools.clock.now()
		};
		if (objects.length > 0 || begun.some(({ id, from }) => from !== void 0 || !own.ids.has(id))) {
			for (const store of tools.stores) {
				const { keys, ...named } = await store.named();
				known.held.set(store.name, named);
				for (const key of keys) stored.add(key);
			}
			await publishWhole(tools, known);
			for (const store of tools.stores) await cleanStore(tools, store, known);
			objects = await cleanObjects(tools, objects, stored);
		}
		const notes = new Set(noted.map(({ note }) => note));
		for (const { note } of objects) notes.delete(note);
		const [first, ...more] = [...settled(known).map((one) => begunFile(tools.layout, one)), ...notes];
		if (first !== void 0) await tools.work.step("forget-begun", removeNotes(first, ...more));
	} catch (error) {
		if (tools.signal.aborted || !(error instanceof AppError) || error.code === "lease-lost") throw error;
		tools.log.warning(`What killed backups left could not be cleaned away: ${messageOf(error)}`);
	}
}
/** A run that was killed between S3's manifest and the local one has left a whole backup here: it needs only that. */
async function publishWhole(tools, known) {
	const [local, s3] = [localStore$1(tools.stores), remoteStore(tools.stores)];
	const unpublished = deadIn("local", known).filter(({ id, from }) => !from && known.held.get("s3")?.ids.has(id));
	if (!s3 || unpublished.length === 0) return;
	for (const { manifest } of (await s3.list()).backups) {
		if (!unpublished.some(({ id }) => id === manifest.id) || (await local.verify(manifest)).length > 0) continue;
		await local.putManifest(manifest, tools.work);
		known.held.set("local", await local.named());
		tools.log.info(`local: ${manifest.id}, which a killed run had published in S3 alone, lies here whole: published`);
	}
}
/** Shell text that writes down, durably, that files of this backup are going to be made, or removed. */
function noteBegun({ state }, backup) {
	return writeNote(begunFile({ state }, backup), backup);
}
async function cleanHalves(tools, ours) {
	const local = localStore$1(tools.stores);
	const halves = halfWritten(await local.below([
		"postgres/",
		"dragonfly/",
		"metadata/"
	]), ours);
	if (halves.length === 0) return;
	await local.removeStrays(halves, tools.work);
	for (const file of halves) tools.log.info(`local: removed ${file}, which a killed run left half written`);
}
async function cleanStore(tools, store, known) {
	const stems = deadIn(store.name, known).flatMap(stemsOf);
	if (stems.length === 0) return;
	await removeStrays(tools, store, leftovers(store.name, await store.below(stems), known));
}
/** False when a lock keeps one of them. */
async function removeStrays(tools, store, files) {
	if (files.length === 0) return true;
	const stay = await store.removeStrays(files, tools.work);
	for (const file of files) {
		const why = stay.get(file);
		const what = why === void 0 ? `removed ${file}` : `${file} stays, ${why}`;
		tools.log.info(`${store.name}: ${what}, which a killed run left and no backup has`);
	}
	return stay.size === 0;
}
/** Takes back what runs were sending, unless a manifest here names it. Gives those that have become objects. */
async function endUploads(tools, noted, named) {
	const objects = [];
	for (const one of noted) {
		if (named.has(one.key)) continue;
		const found = await remoteStore(tools.stores)?.uploads?.end(one);
		if (found === "object") objects.push(one);
		if (found === "ended") tools.log.info(`s3: took back the unfinished upload of ${one.path}, which a killed run left`);
	}
	return objects;
}
/** Removes the objects that no manifest anywhere names, once a day is over. Gives those that stay. */
async function cleanObjects(tools, objects, named) {
	const store = remoteStore(tools.stores);
	const stay = [];
	for (const one of objects) {
		if (!store || named.has(one.key)) continue;
		if (!(tools.clock.now().getTime() - Date.parse(one.at) >= 864e5) || !await removeStrays(tools, store, [one.path])) stay.push(one);
	}
	return stay;
}
const begunSchema = require_libraries.object({
	id: require_libraries.string$1(),
	stamp: require_libraries.string$1(),
	services: require_libraries.array(require_libraries.string$1()),
	at: require_libraries.datetime(),
	from: require_libraries._enum(["local", "s3"]).optional()
});
async function readBegun(tools) {
	const { notes, problems } = await readNotes(tools, `${tools.layout.state}/begun`, begunSchema);
	for (const problem of problems) tools.log.warning(`What that backup left is not cleaned away: ${problem}`);
	return notes;
}
function begunFile({ state }, { id, stamp, from }) {
	return `${state}/begun/${[
		id,
		stamp,
		...from ? [from] : []
	].join("-")}.json`;
}

// src/job/apply-retention.ts
/**
* Applies the retention policy to each store from its own list (S8) and what drills are known to have shown, and says why each backup stays. What goes
* wrong is a warning and told in the report: the backups are good, and the next run tries again. `just` is the backup
* that this run made, if it made one: it always stays, and so does the one that a stopped app waits for, and for 14 days one that
* holds what a restore in place dropped.
*/
async function applyRetention(tools, drills, just) {
	const reports = [];
	for (const store of tools.stores) reports.push(await applyTo(tools, store, {
		drills,
		just
	}));
	return reports;
}
/** Removes from the host, before a backup of these services is made, what it will push out (`prune-first`). Warns when it cannot. */
async function pruneFirst(tools, services) {
	const local = localStore$1(tools.stores);
	await applyTo(tools, local, {
		drills: await knownDrills(tools, [local]),
		before: services
	});
}
async function applyTo(tools, store, { drills, ...moment }) {
	let decisions = [];
	const removed = [];
	try {
		assertTold(drills, store.name);
		const { backups, unreadable } = await store.list();
		for (const one of unreadable) tools.log.warning(`${store.name}: ${one} is no readable manifest and is left alone`);
		const manifests = backups.map(({ manifest }) => manifest);
		decisions = await retentionOf(tools, retentionItems(store.name, manifests, drills.records), moment);
		const doubt = clockDoubt(store.name, decisions);
		if (doubt !== void 0) tools.log.warning(doubt);
		await carryOut(tools, store, {
			manifests,
			decisions,
			removed
		});
		return {
			store: store.name,
			decisions,
			removed,
			failure: void 0
		};
	} catch (error) {
		if (tools.signal.aborted) throw error;
		tools.log.warning(`Retention of ${store.name} could not be applied: ${messageOf(error)}`);
		return {
			store: store.name,
			decisions,
			removed,
			failure: messageOf(error)
		};
	}
}
/** Every drill is recorded on the host, and in S3 beside the copies that outlive a host. */
function assertTold({ untold, problems }, store) {
	if (untold.has("local") || untold.has(store)) throw failure("drills-unknown", `what drills have shown is not known: ${problems.join("; ")}`);
}
/** The backups of one store's list as its retention counts them: one whose last drill failed costs no other its place. */
function retentionItems(store, manifests, drills) {
	return manifests.map((manifest) => ({
		id: manifest.id,
		created: manifest.created,
		services: manifest.services.map(({ service }) => service),
		proven: isProven(manifest, store, drills),
		lockedUntil: store === "s3" ? manifest.storage.lockedUntil : void 0
	}));
}
/** One sentence where the dates of a store's backups show a wrong clock, so that retention removes none of them. */
function clockDoubt(store, decisions) {
	if (!decisions.some(({ reasons }) => reasons.some((one) => one === "clock"))) return void 0;
	return `${store}: nothing is removed: a backup is dated after now, or after the one just made, so a clock is wrong, or was, and which are the newest is not known`;
}
/** What the policy decides about the backups of one store, newest first, by the host's clock, which dates them. Changes nothing. */
async function retentionOf(tools, items, { just, before } = {}) {
	const now = await hostNow(tools);
	const [history, stopped, replaced] = await Promise.all([
		readHistory(tools),
		readStoppedApp(tools),
		readReplacedInPlace(tools)
	]);
	const inUse = new Set(backupsInUse(history));
	const young = Object.values(replaced).filter(({ at }) => now.getTime() - Date.parse(at) < heldFor);
	const dropped = [...Object.values(stopped?.restoring?.inPlace?.dropped ?? {}), ...young.map(({ held }) => held)];
	for (const id of [
		stopped?.backup,
		just,
		...dropped
	]) if (typeof id === "string") inUse.add(id);
	const made = just === void 0 ? void 0 : backupTime(just);
	const options = {
		policy: tools.config.backup.retention,
		now,
		inUse,
		made
	};
	return before ? decideRetentionBefore(items, before, options) : decideRetention(items, options);
}
async function carryOut(tools, store, { manifests, decisions, removed }) {
	for (const { id, keep, reasons } of decisions) {
		const manifest = manifests.find((one) => one.id === id);
		const until = reasons.some((one) => one === "locked") ? ` until ${manifest?.storage.lockedUntil}` : "";
		tools.log.info(`${store.name}: ${keep ? "keep" : "remove"} ${id} (${reasons.join(", ")}${until})`);
		if (keep || !manifest) continue;
		try {
			await tools.work.step(`note-removal-${id}`, noteBegun(tools.layout, removalOf(manifest, store.name)));
			await store.remove(manifest, tools.work);
			removed.push(id);
		} catch (error) {
			if (!(error instanceof AppError && error.code === "s3-locked")) throw error;
			tools.log.info(`${store.name}: ${error.message}`);
		}
	}
}
/** Whoever is killed between its manifest and its last file leaves the rest to the next backup. */
function removalOf({ id, created, services }, from) {
	return {
		id,
		stamp: backupStamp(backupTime(id) ?? new Date(created)),
		services: services.map(({ service }) => service),
		at: created,
		from
	};
}

// src/core/data-loss.ts
/**
* What each service of a new backup lost against the newest of `earlier` (newest first) that holds it: rows of a database,
* and keys without an expiry, for the others go by themselves. A database that is gone lost all of it; a service that is
* not in the new backup lost nothing. S1: a cut heap file dumps with exit code 0, and so does a store that came up without its
* snapshot.
*/
function dataLosses(earlier, services) {
	return lossesSince(earlier, services, amounts);
}
/** The same for each table: one that was emptied is lost in the sum of a large database. */
function tableLosses(earlier, services) {
	return lossesSince(earlier, services, tableAmounts);
}
function lossesSince(earlier, services, amountsOf) {
	return services.flatMap((service) => {
		const last = earlier.find((manifest) => held(manifest, service.service));
		const before = last && held(last, service.service);
		return last && before ? lossesOf(amountsOf(before), service, amountsOf(service)).map((loss) => ({
			...loss,
			since: last.id
		})) : [];
	});
}
/**
* Those that make the newer dump suspect: more than `limit` of a database's rows, or every key of a store. Keys come and
* go (a queue drains), so that a part of them says nothing; a limit of 1 accepts everything.
*/
function suspiciousLosses(losses, limit) {
	return losses.filter(({ unit, share }) => limit < 1 && (unit === "rows" ? share > limit : share === 1));
}
function held({ services }, name) {
	return services.find(({ service }) => service === name);
}
function lossesOf(earlier, { contents }, later) {
	const unit = contents.kind === "postgres" ? "rows" : "keys";
	return [...earlier].map(([place, before]) => ({
		unit,
		place,
		before,
		after: later.get(place) ?? 0
	})).filter(({ before, after }) => after < before).map((loss) => ({
		...loss,
		share: (loss.before - loss.after) / loss.before
	}));
}
function amounts({ service, contents }) {
	if (contents.kind !== "postgres") return /* @__PURE__ */ new Map([[service, sum$1(contents.keyspace.map(({ keys, expires }) => keys - expires))]]);
	return new Map(contents.databases.map(({ name, tables }) => [`${service}/${name}`, sum$1(tables.map(({ rows }) => rows))]));
}
function tableAmounts({ service, contents }) {
	if (contents.kind !== "postgres") return /* @__PURE__ */ new Map();
	return new Map(contents.databases.flatMap(({ name, tables }) => tables.map((table) => [`${service}/${name}: ${table.schema}.${table.name}`, table.rows])));
}
function sum$1(numbers) {
	return numbers.reduce((total, number) => total + number, 0);
}

// src/job/assert-nothing-lost.ts
/** Rows below which a table that shrinks is not worth a word, unless it is critical. */
const worthAWord = 100;
/**
* Throws (`rows-lost`, `keys-lost`) when a new backup's services lost more than `backup.max-row-loss` against the newest of
* `earlier` that holds them (S1): of a database's rows, of a critical table's, or all keys of a store. Tables that lost as
* much are told: only their owner knows whether that was meant.
*/
function assertNothingLost({ config, log }, earlier, services) {
	const limit = config.backup["max-row-loss"];
	const tables = suspiciousLosses(tableLosses(earlier, services), limit);
	const critical = new Set(services.flatMap(({ service, contents }) => {
		const databases = contents.kind === "postgres" ? contents.databases : [];
		const wanted = config.services[service]?.["critical-tables"] ?? [];
		return databases.flatMap(({ name }) => wanted.map((table) => `${service}/${name}: ${table.includes(".") ? table : `public.${table}`}`));
	}));
	const [loss] = [...suspiciousLosses(dataLosses(earlier, services), limit), ...tables.filter(({ place }) => critical.has(place))];
	if (loss) {
		const what = loss.unit === "rows" ? "rows" : "keys without expiry";
		throw failure(`${loss.unit}-lost`, `${fallen(loss, what)} in its last proven backup (${loss.since})`, { hint: `Look at the data before anything else; if so many ${loss.unit} were deleted on purpose, raise backup.max-row-loss (1 accepts the loss of all).` });
	}
	const told = tables.filter(({ before }) => before >= worthAWord);
	if (told.length === 0) return;
	const some = told.slice(0, 10).map((one) => `${fallen(one, "rows")} in ${one.since}`);
	const more = told.length > 10 ? `; and ${told.length - 10} more` : "";
	log.warning(`Of these tables most rows are gone; if that was not meant, keep the older backup: ${some.join("; ")}${more}`);
}
function fallen({ place, before, after }, what) {
	return `${place} has ${after} ${what}, ${before}`;
}

// src/job/earlier-backups.ts
/**
* What a new backup is compared with, newest first: the host's own proven backups, and S3's where those hold not every service. A
* new host has none of its own, and its empty database must not become the latest backup of the old one's: refuses while
* S3 does not tell, unless `anyLoss` is right anyway.
*/
async function earlierBackups(tools, services, { anyLoss }) {
	const own = await provenIn(localStore$1(tools.stores));
	const missing = services.filter(({ service }) => !own.some((one) => holds$2(one, service.name)));
	const there = missing.length > 0 ? await inS3(tools, names$1(missing), anyLoss) : [];
	const now = await hostNow(tools);
	const ahead = [...own, ...there].find((one) => isDatedAhead(one, now));
	if (ahead) tools.log.warning(`${ahead.id} is dated in the future: a clock is wrong, or was, and what is the latest is not known`);
	return [...own, ...there.filter((one) => missing.some(({ service }) => holds$2(one, service.name)))];
}
async function inS3(tools, missing, anyLoss) {
	const s3 = remoteStore(tools.stores);
	if (!s3) return [];
	try {
		return await provenIn(s3);
	} catch (error) {
		if (tools.signal.aborted) throw error;
		if (anyLoss) return [];
		throw refusal("earlier-unknown", `this host has no backup of ${missing.join(", ")}, and S3, which may have one, cannot be asked: ${messageOf(error)}`, {
			hint: "Run it again when S3 answers. If this is known to be the first backup, set backup.max-row-loss to 1 until it is made.",
			cause: error
		});
	}
}
async function provenIn(store) {
	const { backups } = await store.list();
	return backups.map(({ manifest }) => manifest).filter((one) => isProven(one, store.name));
}

// src/core/bytes.ts
const units = [
	"B",
	"KiB",
	"MiB",
	"GiB",
	"TiB"
];
/** `1.4 GiB`, `512 B`: a size for a person. */
function formatBytes(bytes) {
	const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
	const shown = bytes / 1024 ** power;
	return `${power === 0 ? bytes : shown.toFixed(1)} ${units[power]}`;
}

// src/job/repair-copies.ts
/** Missing copies that one run makes good in each store, the newest: a new bucket is filled over several runs. */
const most = 3;
/**
* Puts the newest backups that one store has proven and the other lacks into the other, proven like any backup, as far as
* retention would keep them there; the host's disk keeps its free share. What goes wrong is a warning: the copy that
* there is stays, and the next run tries again.
*/
async function repairCopies(tools, drills) {
	const [local, s3] = [localStore$1(tools.stores), remoteStore(tools.stores)];
	if (!s3) return [];
	try {
		if (drills.untold.size > 0) throw failure("drills-unknown", drills.problems.join("; "));
		const lists = {
			local: await listOf(local),
			s3: await listOf(s3),
			drills: drills.records
		};
		const toS3 = await missing$2(tools, {
			from: local,
			to: s3
		}, lists);
		const toLocal = (await missing$2(tools, {
			from: s3,
			to: local
		}, lists)).filter(({ storage }) => !storage.objects.some(({ encrypted }) => encrypted));
		const repaired = [];
		for (const manifest of toS3) repaired.push(await repair(tools, s3, manifest, () => copyToS3(tools, s3, manifest)));
		for (const manifest of toLocal) repaired.push(await repair(tools, local, manifest, () => copyToHost(tools, {
			s3,
			local
		}, manifest)));
		return repaired;
	} catch (error) {
		if (tools.signal.aborted) throw error;
		tools.log.warning(`Missing copies could not be looked for: ${messageOf(error)}`);
		return [];
	}
}
async function listOf(store) {
	const { backups, unreadable } = await store.list();
	return {
		manifests: backups.map(({ manifest }) => manifest),
		unreadable
	};
}
/** Newest first. One whose manifest is there but cannot be read is left to a person: it would have to be written over. */
async function missing$2(tools, { from, to }, { drills, ...lists }) {
	const there = lists[to.name];
	const lacking = lists[from.name].manifests.filter((one) => isProven(one, from.name, drills) && !there.manifests.some(({ id }) => id === one.id) && !there.unreadable.some((line) => line.includes(one.id)));
	if (lacking.length === 0) return [];
	const items = [...retentionItems(to.name, there.manifests, drills), ...lacking.map(({ id, created, services }) => ({
		id,
		created,
		services: services.map(({ service }) => service),
		proven: true
	}))];
	const wanted = (await retentionOf(tools, items)).filter(({ keep, reasons }) => keep && reasons.some((one) => one !== "clock"));
	return lacking.filter(({ id }) => wanted.some((one) => one.id === id)).slice(0, most);
}
async function repair(tools, { name }, { id }, copy) {
	try {
		await copy();
		tools.log.info(`${name}: the missing copy of ${id} is there again`);
		return {
			id,
			store: name,
			failure: void 0
		};
	} catch (error) {
		if (tools.signal.aborted) throw error;
		tools.log.warning(`${name}: the missing copy of ${id} could not be made: ${messageOf(error)}`);
		return {
			id,
			store: name,
			failure: messageOf(error)
		};
	}
}
/** Only bytes that still are what their manifest says go up. */
async function copyToS3(tools, s3, manifest) {
	await localStore$1(tools.stores).fetch(manifest, tools.work);
	try {
		const report = await s3.putArtifacts(manifest, tools.work);
		await s3.putManifest(storedInS3(manifest, report), tools.work);
	} catch (error) {
		await discard$1({
			...tools,
			stores: [s3]
		}, manifest, error);
		throw error;
	}
}
async function copyToHost(tools, { s3, local }, manifest) {
	await assertRoom$1(tools, totals(manifest.services).bytes);
	await s3.fetch(manifest, tools.work);
	await local.putArtifacts(manifest, tools.work);
	await local.putManifest(manifest, tools.work);
}
/** An old backup that S3 has anyway must not take the room that the live data needs. */
async function assertRoom$1({ host, layout, config }, bytes) {
	const { stdout } = await host.run(sh`df -Pk ${layout.backups}`);
	const [, size, free] = /\s(\d+)\s+\d+\s+(\d+)\s+\d+%\s[^\n]*\s*$/.exec(stdout) ?? [];
	if (size === void 0 || free === void 0) throw failure("host-answer", `the size of the disk under ${layout.backups} cannot be read`);
	const left = Number(free) * 1024 - bytes;
	const share = config.thresholds["disk-free"];
	if (left >= Number(size) * 1024 * share) return;
	throw failure("disk-full", `${formatBytes(bytes)} more would leave less than ${share * 100} % of the disk under ${layout.backups} free`);
}

// src/job/backup.ts
/**
* Backs up every data service and proves it (S1): dumps, counts, SHA-256 while writing, full decode of the stored
* bytes, copies in S3 compared. The manifest is published last, so a backup that was not proven does not exist.
* Throws on any failure, with nothing half written left behind.
*/
async function backup(tools, { services: chosen, beforeDrop = false } = {}) {
	const { stores, layout, log } = tools;
	const services = atLeastOne(await dataServices(tools, chosen), "data service to back up");
	const s3 = remoteStore(stores);
	const unreachable = await reach(tools, s3);
	const anyLoss = beforeDrop || tools.config.backup["max-row-loss"] >= 1;
	const earlier = await earlierBackups(tools, services, { anyLoss });
	const running = await ensureRunning(tools, services);
	for (const one of stores) await one.prepare(tools.work);
	await cleanLeftovers(tools);
	if (tools.config.backup["prune-first"] && !beforeDrop) await pruneFirst(tools, running.map((one) => one.service.name));
	const { id, stamp, created } = await freeId$1(tools, unreachable === void 0 ? s3 : void 0);
	log.info(`Backup ${id} of ${running.map((one) => one.service.name).join(", ")} into ${layout.backups}`);
	const begun = {
		id,
		stamp,
		services: running.map((one) => one.service.name),
		at: created
	};
	await tools.work.step("note-begun", noteBegun(layout, begun));
	const { verify, postgres } = tools.config.backup;
	const whileWriting = unreachable === void 0 && s3 ? beside$1(tools, s3) : void 0;
	const target = {
		id,
		stamp,
		checksums: beforeDrop || verify === "checksum",
		format: postgres.format,
		earlier: earlier.flatMap((one) => one.services),
		...whileWriting && { whileWriting }
	};
	const done = [];
	const made = await makeBackup().catch(async (error) => {
		await discard$1(tools, {
			id,
			services: done
		}, error);
		throw error;
	});
	if (beforeDrop) return {
		...made,
		repaired: [],
		retention: []
	};
	const drills = await knownDrills(tools, stores);
	const repaired = made.s3Failure === void 0 ? await repairCopies(tools, drills) : [];
	return {
		...made,
		repaired,
		retention: await applyRetention(tools, drills, id)
	};
	async function makeBackup() {
		for (const one of running) done.push(await backupService(tools, one, target));
		if (!tools.work.dryRun && !beforeDrop) assertNothingLost(tools, earlier, done);
		const local = unpublished(tools, {
			id,
			created,
			services: done
		});
		const stored = unreachable === void 0 && s3 ? await store(tools, s3, local) : { failure: unreachable };
		const manifest = stored.manifest ?? local;
		await publish(tools, manifest);
		return {
			status: stored.failure === void 0 ? "success" : "partial",
			manifest,
			s3Failure: stored.failure
		};
	}
}
async function backupService(tools, one, target) {
	if (one.driver.backup) return one.driver.backup(one.service, containerOf(one), target, tools.work);
	throw failure("no-backup", `services of kind ${one.service.kind} cannot be backed up`);
}
/** Lets S3 have the beginning of a file while it is being written. */
function beside$1({ work, log, layout }, s3) {
	return async (file, dump) => {
		let running = true;
		const following = s3.follow?.(file, work, () => running);
		try {
			return await dump();
		} catch (error) {
			const path = `${layout.backups}/${file.file}.partial`;
			if (!(error instanceof HostError)) await work.step("remove-partial", change`rm -f ${[path, `${path}.written`]}`).catch((reason) => log.warning(`${file.file}.partial may still be there: ${messageOf(reason)}`));
			throw error;
		} finally {
			running = false;
			await following;
		}
	};
}
/** Why S3 cannot be used although it is on; throws instead where S3 is required. */
async function reach(tools, s3) {
	try {
		await s3?.probe();
		return;
	} catch (error) {
		return tolerate(tools, error);
	}
}
/** S3's manifest comes before the local one: were that there and S3 then refused, a failed job would leave a backup that claims both. */
async function store(tools, s3, manifest) {
	try {
		const stored = storedInS3(manifest, await s3.putArtifacts(manifest, tools.work));
		await s3.putManifest(stored, tools.work);
		return { manifest: stored };
	} catch (error) {
		const failure = tolerate(tools, error);
		await discard$1({
			...tools,
			stores: [s3]
		}, manifest, error);
		return { failure };
	}
}
/** A failed S3 is a warning only where the policy says so, and never hides that it failed (S11). */
function tolerate(tools, error) {
	if (tools.signal.aborted || (tools.config.backup.s3?.required ?? true)) throw error;
	tools.log.warning(`S3 does not have this backup: ${messageOf(error)}`);
	return messageOf(error);
}
async function publish(tools, manifest) {
	await localStore$1(tools.stores).putManifest(manifest, tools.work);
	const { bytes, tables, rows, keys } = totals(manifest.services);
	tools.log.info(`${manifest.id}: ${bytes} bytes, ${tables} tables with ${rows} rows, ${keys} keys, proven`);
}
/**
* An id that no backup has, whoever's it is: a directory and a prefix may be shared, and two in one second would overwrite
* each other. By the host's clock: its backups are compared with each other and with what lies there, whichever runner made
* them.
*/
async function freeId$1(tools, s3) {
	for (;;) {
		const now = await hostNow(tools);
		const id = backupId(now);
		const onHost = await localStore$1(tools.stores).below([manifestFile(id)]);
		const inS3 = await s3?.below([manifestFile(id)]).catch(() => []);
		if (onHost.length + (inS3?.length ?? 0) === 0) return {
			id,
			stamp: backupStamp(now),
			created: now.toISOString()
		};
		await tools.clock.sleep(1e3, tools.signal);
	}
}
function unpublished({ config, run }, { id, created, services }) {
	return {
		format: 1,
		id,
		project: config.project,
		environment: config.environment,
		created,
		run: {
			id: run.id,
			url: run.url,
			actor: run.actor
		},
		encrypted: false,
		services,
		storage: {
			local: "success",
			s3: config.backup.s3?.enabled ? "failed" : "off",
			objects: []
		}
	};
}

// src/job/restore-in-place.ts
/**
* Lets a restore drop the live data of this service, the app being stopped: a proven backup holds it then, one that there is or
* one that is made now. With `force` none is needed.
*/
function allowInPlace(tools, service, { force, dropped: earlier }) {
	let held = earlier[service] ?? null;
	let dropped = service in earlier;
	return {
		async hold(holds) {
			tools.log.warning(`The disk has no room for the live data of ${service} and the backup's: it is replaced in place`);
			if (force) {
				tools.log.warning(`As force says, no backup is made of what ${service} holds now: it will be gone`);
				return;
			}
			const manifest = await whatHolds(tools, service, holds) ?? await backUp(tools, service);
			held = manifest.id;
			return partOf$1(manifest, service);
		},
		async noWayBack() {
			await noteDropped(tools, service, held);
			dropped = !tools.work.dryRun;
			if (dropped) tools.log.warning(`Dropping the live data of ${service}: ${sentence(held)}`);
		},
		told: () => dropped ? sentence(held) : void 0
	};
}
function sentence(held) {
	return held === null ? "What was there before is in no backup that is known to hold it." : `What was there before is in ${held}.`;
}
/** The newest backup of the service, when it is whole and holds what is there now. */
async function whatHolds(tools, service, holds) {
	const store = localStore$1(tools.stores);
	const [{ backups }, { records: drills }] = await Promise.all([store.list(), store.drills()]);
	const newest = backups.find(({ manifest }) => isProven(manifest, store.name, drills) && partOf$1(manifest, service))?.manifest;
	const part = newest && partOf$1(newest, service);
	if (!newest || !part || !await holds(part)) return void 0;
	if ((await store.verify(newest)).length > 0) return void 0;
	tools.log.info(`${newest.id} holds what ${service} holds now, row by row`);
	return newest;
}
async function backUp(tools, service) {
	const { manifest } = await tools.log.group("backing up what is going to be replaced", () => backup(tools, {
		services: [service],
		beforeDrop: true
	}));
	return manifest;
}
function partOf$1({ services }, service) {
	return services.find((one) => one.service === service);
}

// src/job/restore-service.ts
/** Restores one service from files that are on the host, and says at once where what it replaced is. */
async function restoreService(tools, held, how) {
	const { id } = how;
	const [one] = await dataServices(tools, [held.service]);
	if (!one?.driver.restore) throw failure("cannot-restore", `service ${held.service} cannot be restored`);
	assertSameKind(one, held);
	await assertSoleServer(tools, one);
	const aside = await getReady(tools, one, id);
	const [ready] = await refresh(tools, [one]);
	const place = how.inPlace && allowInPlace(tools, held.service, how.inPlace);
	try {
		const report = await one.driver.restore(one.service, containerOf(ready ?? one), held, tools.work, place);
		const kept = [report.kept, ...aside === void 0 ? [] : [`What it could not read is in ${aside}.`]].concat(place?.told() ?? []).join(" ");
		if (!tools.work.dryRun) tools.log.info(`${held.service} has the data of ${id}. ${kept}`);
		if (report.caveat !== void 0) tools.log.warning(`${held.service}: ${report.caveat}`);
		return {
			...report,
			kept
		};
	} catch (error) {
		const gone = place?.told();
		if (gone !== void 0 && isOurs(tools, error)) throw lost$1(error, held.service, gone);
		if (aside === void 0) throw error;
		throw failure("restore-failed", `${messageOf(error)}; what was there before, unreadable, is in ${aside}`, {
			hint: `${held.service} runs on an empty directory and the app stays stopped. Restore another backup, or this one after its cause is mended.`,
			cause: error
		});
	}
}
function lost$1(error, service, gone) {
	return failure("restore-failed", `${messageOf(error)}; the live data of ${service} had been dropped. ${gone}`, {
		hint: "The app stays stopped. Restore another backup, or this one after its cause is mended; no backup was removed.",
		cause: error
	});
}
/** The order of a restore. */
function databasesFirst(services) {
	return services.toSorted((a, b) => Number(b.contents.kind === "postgres") - Number(a.contents.kind === "postgres"));
}
/** A database needs a server that answers; a store of keys is restored while it is stopped, and only needs a container. */
async function getReady(tools, one, id) {
	if (one.driver.dataDirectory) return makeServing(tools, one, id);
	if (!one.container) await createContainer(tools, one);
}
/** On whatever lies there: on a host made anew there is nothing, and nothing to lose. */
async function createContainer(tools, one) {
	const up = tools.stack.up([one.service.name], {
		noRecreate: true,
		noDependencies: true
	});
	await tools.work.step("create-service", up, { timeout: 18e5 });
	if (!tools.work.dryRun) await ensureRunning(tools, await refresh(tools, [one]));
}
function assertSameKind({ service }, held) {
	const isPostgres = held.contents.kind === "postgres";
	if (service.kind === "postgres" === isPostgres) return;
	throw failure("wrong-kind", `the backup of ${service.name} is of kind ${held.contents.kind}, the service is ${service.kind}`);
}

// src/job/held-data.ts
/**
* What these services held before a restore that is about to be undone. Written down, for what says so on the host goes
* with the undo: who comes after one that was cut off, or did not bring all of it back, has the same to compare with.
*/
async function noteHeld(tools, note, services) {
	const held = new Map(note.fingerprints.map((one) => [one.service, one]));
	const known = held.size;
	for (const { one, cut } of services) {
		if (!one.container || held.has(one.service.name)) continue;
		const found = await one.driver.cutRestores?.held?.(one.service, containerOf(one), cut);
		if (found) held.set(found.service, found);
	}
	const fingerprints = [...held.values()];
	if (held.size > known) await tools.work.step("note-held", noteStoppedApp(tools.layout, {
		...note,
		fingerprints
	}));
	return fingerprints;
}
/** Throws `data-differs` when they serve less than that; an app that somebody has started may have deleted some of it. */
async function assertHeld$1(tools, held) {
	if (held.length === 0 || await appRuns(tools)) return;
	const services = await dataServices(tools, held.map(({ service }) => service));
	const look = () => fingerprints(services);
	assertSame(compareFingerprints(held, await tools.work.check("compare-undone", look, held)));
}

// src/job/undo-cut-restore.ts
/**
* Goes back from a restore that cannot be finished, or that had swapped nothing in: every service serves what it did
* before, the last one first, and the app starts. Where there is no way back the app stays stopped, said so.
*/
async function undoAll(tools, manifest) {
	const note = await readRestoring(tools);
	if (!note) return;
	if (note.restoring.forward) {
		tools.log.warning(`There is no way back to what was there before: ${restoreFirst(note)}`);
		return;
	}
	const services = await cutServices(tools, note);
	const cuts = services.map((one) => ({
		one,
		cut: cutOf(one, {
			note,
			manifest
		})
	}));
	const held = await noteHeld(tools, note, cuts);
	for (const one of services.toReversed()) await undoCut(tools, one, {
		note,
		manifest
	});
	await serveAgain$1(tools, services);
	await assertHeld$1(tools, held);
	tools.log.warning("The restore is undone: the data is as it was before, and the app starts on it");
	await startOnRightData(tools);
}
/** Takes away what an interrupted restore left of one service. */
async function undoCut(tools, one, cut) {
	if (one.container) await one.driver.cutRestores?.undo(one.service, one.container, cutOf(one, cut), tools.work);
}
/** The part of an interrupted restore that is about one service. */
function cutOf({ service }, { note, manifest }) {
	const backup = manifest?.services.find((held) => held.service === service.name);
	const { ids, inPlace } = note.restoring;
	return {
		ids,
		backup,
		dropped: service.name in (inPlace?.dropped ?? {})
	};
}
/** The services of an interrupted restore, databases first and running: only a server can tell how far it came. */
async function cutServices(tools, { restoring }) {
	const services = await dataServices(tools, restoring.services);
	const isDatabase = (one) => one.service.kind === "postgres";
	const databases = services.filter((one) => isDatabase(one) && one.container);
	return [...databases.length > 0 ? await ensureRunning(tools, databases) : [], ...services.filter((one) => !isDatabase(one))];
}
/** A store of keys may have been stopped, or still be stopping by the hand of a step that was cut. */
async function serveAgain$1(tools, services) {
	const names = services.flatMap((one) => one.container ? [one.service.name] : []);
	if (names.length > 0) await ensureRunning(tools, await dataServices(tools, names));
}

// src/job/settle-restore.ts
/**
* Finishes or undoes a restore that was cut off: never a mix. As long as nothing was swapped in, it is undone, and the app
* starts on the data of before; once a service has the restored data, the others get theirs. What cannot be finished goes
* back as a whole. Where the data of before does not serve, or was dropped, it can only be finished: throws why it was not.
*/
async function settleRestore(tools, note) {
	const what = note.backup ?? "a dump";
	if (tools.work.dryRun) {
		tools.log.warning(`A restore of ${what} was cut off: this run would first finish or undo it`);
		return;
	}
	tools.log.warning(`A restore of ${what} was cut off`);
	const manifest = note.backup === void 0 ? void 0 : await readRestored(tools, note.backup);
	const services = await cutServices(tools, note);
	const come = await restoredOnes(services, {
		note,
		manifest
	});
	const undoable = come.length === 0 && !note.restoring.forward;
	if (!(undoable && services.every(({ service }) => service.kind === "postgres")) && await appRuns(tools)) {
		tools.log.warning(`Somebody has started the app since, so nothing is changed: if ${note.restoring.services.join(" and ")} do not belong together, restore again.`);
		return forgetStop(tools);
	}
	await noteGoesOn(tools);
	await noteReplacedInPlace(tools);
	if (undoable) return undoAll(tools, manifest);
	if (manifest && !await finishRestore(tools, {
		come,
		note,
		manifest
	})) return;
	tools.log.warning(`The restore of ${what} is finished: the app starts on its data`);
	await startOnRightData(tools);
}
/** Those whose restored data is in its place, compared. */
async function restoredOnes(services, cut) {
	const come = [];
	for (const one of services) {
		const { name } = one.service;
		const isIn = async () => one.container && await one.driver.cutRestores?.isIn?.(one.service, one.container, cutOf(one, cut));
		if (cut.note.restoring.done.includes(name) || await isIn()) come.push(name);
	}
	return come;
}
/** Restores the services that the interrupted one had not come to; when one of them cannot be, all go back, and this is false. */
async function finishRestore(tools, { come, note, manifest }) {
	const rest = manifest.services.filter(({ service }) => note.restoring.services.includes(service));
	try {
		for (const held of databasesFirst(rest)) {
			if (come.includes(held.service)) continue;
			tools.log.info(`Restoring ${held.service}, which the restore had not come to`);
			const [one] = await dataServices(tools, [held.service]);
			if (one) await undoCut(tools, one, {
				note,
				manifest
			});
			const work = {
				...tools.work,
				id: note.restoring.ids.at(-1) ?? tools.work.id
			};
			await restoreService({
				...tools,
				work
			}, held, {
				id: manifest.id,
				inPlace: note.restoring.inPlace
			});
			await noteRestored(tools, held.service);
		}
		return true;
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		tools.log.warning(`The restore could not be finished: ${messageOf(error)}`);
		await undoAll(tools, manifest);
		if ((await readRestoring(tools))?.restoring.forward) throw error;
		return false;
	}
}

// src/job/undo-note.ts
/** What an undo under way has noted; undefined where there is none. */
async function readUndoing(tools) {
	const note = await readStoppedApp(tools);
	return note?.undoing && {
		...note,
		undoing: note.undoing
	};
}
/** What this service's restore had replaced is proven to serve. */
async function noteUndone(tools, service) {
	const note = await readUndoing(tools);
	if (!note) return;
	const undoing = {
		...note.undoing,
		done: [...note.undoing.done, service]
	};
	await tools.work.step(`note-undone-${service}`, noteStoppedApp(tools.layout, {
		...note,
		undoing
	}));
}
/** From here on these are to be taken forth again, whoever does it. */
async function noteForth(tools, services) {
	const note = await readUndoing(tools);
	if (!note) return;
	const undoing = {
		services: [...services],
		done: [],
		waited: note.undoing.waited,
		forward: true
	};
	await tools.work.step("note-forth", noteStoppedApp(tools.layout, {
		...note,
		undoing
	}));
}
/**
* The data of all services belongs together, as before the restore (`undone`) or as it left it: the app starts on it. Where
* the host waited for a restore before, it still does, unless several services were taken back together.
*/
async function endUndo(tools, { undone }) {
	const note = await readUndoing(tools);
	const services = note?.undoing.services ?? [];
	if (!note?.undoing.waited || undone && services.length > 1) return startOnRightData(tools, undone ? { undone: undoneBefore(services) } : {});
	const { undoing: _over, ...waits } = note;
	await tools.work.step("note-waits", noteStoppedApp(tools.layout, waits));
	await startWriters(tools);
}
/** `dragonfly and postgres as before the restore: ...`, for the run that finds this done by an earlier one. */
function undoneBefore(services) {
	return `${services.map((one) => one.service).join(" and ")} as before the restore: the undo of an earlier run is finished.`;
}

// src/job/take-back.ts
/** What the restore of one service replaced serves again; one sentence about it. */
async function takeOne(tools, { service, run, id }) {
	const [one] = await dataServices(tools, [service]);
	if (!one?.driver.undo) throw failure("cannot-undo", `a restore of ${service} cannot be taken back`);
	return one.driver.undo(one.service, containerOf(one), {
		...tools.work,
		id
	}, run);
}
/**
* Takes every service of a noted undo back. All of them or none: when one fails, those before it are taken forth again.
* Throws then with the data as it was before, but `undo-halfway` where that failed, and what nobody knows the end of.
*/
async function takeBack$1(tools, services) {
	const done = [];
	try {
		for (const entry of services) {
			done.push(await takeOne(tools, entry));
			await noteUndone(tools, entry.service);
		}
		return done;
	} catch (error) {
		if (isSettled(tools, error)) await takeForth(tools, error);
		throw error;
	}
}
/** Whether a service whose undo failed is as it was before. Else the note of it stays for the next run. */
function isSettled(tools, error) {
	return isOurs(tools, error) && !(error instanceof AppError && ["restore-undo-failed", "undo-halfway"].includes(error.code));
}
/** An undo is undone by another one. Throws when that fails: then the app must not start on data of two times. */
async function takeForth(tools, reason) {
	const note = await readUndoing(tools);
	if (!note || note.undoing.done.length === 0) return;
	const taken = note.undoing.services.filter(({ service }) => note.undoing.done.includes(service));
	try {
		const forth = await Promise.all(taken.toReversed().map((entry) => forthOf(tools, entry)));
		await noteForth(tools, forth);
		for (const entry of forth) {
			await takeOne(tools, entry);
			await noteUndone(tools, entry.service);
		}
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		const known = taken.map(({ service }) => service).join(", ");
		throw failure("undo-halfway", `${messageOf(reason)}; ${known} is as before the restore and could not be taken forth again: ${messageOf(error)}`, {
			hint: "The app stays stopped. Run undo again, or restore a backup.",
			cause: reason
		});
	}
}
/** What goes aside again gets the id that it had, by which it belongs to what the other services have kept. */
async function forthOf(tools, { service, run, id }) {
	const [one] = await dataServices(tools, [service]);
	const aside = (one ? await one.driver.replaced?.(one.service, containerOf(one)) ?? [] : []).findLast((kept) => kept.run === id && !kept.failed);
	if (!aside) throw failure("undo-unknown", `what the undo of ${service} put aside is not there`);
	return {
		service,
		name: aside.name,
		run: id,
		id: run ?? `${id}-forth`
	};
}

// src/job/settle-undo.ts
/**
* Finishes or takes back an undo that was cut off: never a mix. As long as no service serves what it did before the
* restore, all stay as the restore left them; once one does, the others follow, and when one of them cannot, that one goes
* forth again. Then the app starts. Gives one sentence when the undo is finished.
*/
async function settleUndo(tools, { undoing }) {
	const what = undoing.services.map((one) => one.service).join(" and ");
	if (tools.work.dryRun) {
		tools.log.warning(`An undo of a restore of ${what} was cut off: this run would first finish it or take it back`);
		return;
	}
	tools.log.warning(`An undo of a restore of ${what} was cut off`);
	const open = await lookAt(tools, undoing.services.filter(({ service }) => !undoing.done.includes(service)));
	const begun = undoing.forward || undoing.done.length > 0 || open.some(({ state }) => state === "taken");
	if ((begun || open.some(({ state }) => state === "half")) && await appRuns(tools)) {
		tools.log.warning(`Somebody has started the app since, so nothing is changed: if ${what} do not belong together, undo or restore again.`);
		await forgetStop(tools);
		return;
	}
	for (const { one, entry, state } of open) if (state === "half" && one.container) await one.driver.cutUndos?.back?.(one.service, one.container, entry, tools.work);
	await serveAgain(tools, undoing.services);
	if (!begun) {
		tools.log.warning(`The undo of ${what} had not come far and is taken back: the data is as the restore left it`);
		await endUndo(tools, { undone: false });
		return;
	}
	if (!await finish$1(tools, {
		undoing,
		open
	})) return void 0;
	const restored = undoing.forward;
	tools.log.warning(`The undo of ${what} is ${restored ? "taken back: the app starts on the data of the restore" : "finished: the app starts on the data of before the restore"}`);
	await endUndo(tools, { undone: !restored });
	return restored ? void 0 : undoneBefore(undoing.services);
}
/** Databases are asked, so they have to run; a store of keys tells by its files. */
async function lookAt(tools, entries) {
	const looked = [];
	for (const entry of entries) {
		let [one] = await dataServices(tools, [entry.service]);
		if (one?.service.kind === "postgres") [one] = await ensureRunning(tools, [one]);
		if (!one?.container || !one.driver.cutUndos) throw failure("undo-unknown", `how far the undo of ${entry.service} came cannot be told: it has no container`);
		looked.push({
			one,
			entry,
			state: await one.driver.cutUndos.look(one.service, one.container, entry)
		});
	}
	return looked;
}
async function serveAgain(tools, entries) {
	await ensureRunning(tools, await dataServices(tools, entries.map(({ service }) => service)));
}
/** False when what could not be finished has gone forth again as a whole, and the app was started on that. */
async function finish$1(tools, { undoing, open }) {
	try {
		for (const { entry, state } of open) {
			if (state !== "taken") await takeOne(tools, entry);
			await noteUndone(tools, entry.service);
		}
		return true;
	} catch (error) {
		if (!isOurs(tools, error) || undoing.forward) throw error;
		tools.log.warning(`The undo could not be finished: ${messageOf(error)}`);
		await takeForth(tools, error);
		await endUndo(tools, { undone: false });
		return false;
	}
}

// src/job/finish-interrupted.ts
/**
* Finishes or undoes what a killed run left. A recreate: its services are started, the data's fingerprint is compared with
* that of the clean stop, and the app starts again; new containers that do not serve the same data give way to the
* previous images and definition; where these do not either, it stays stopped for a restore. A restore: `settleRestore`;
* an undo of one: `settleUndo`.
* Does nothing where no run was cut off, but for a definition that nothing was made of. What cannot be finished is told,
* and the note of it stays: the job at hand may be the cure. Half of a restore or undo has one cure only, another restore
* (`cures`): throws `restore-cut` for any other job. Gives one sentence when it has finished an undo.
*/
async function finishInterrupted(tools, { cures = false } = {}) {
	const note = await readStoppedApp(tools);
	if (!note) {
		await takeBackDefinition(tools);
		return;
	}
	const { restoring, undoing } = note;
	if (note.awaits === "restore" && !restoring && !undoing) {
		if (await waitsForRestore(tools)) tools.log.warning(`As an earlier run noted, ${restoreFirst(note)}`);
		return;
	}
	try {
		return await tools.log.group("finishing an interrupted run", async () => {
			if (undoing) return settleUndo(tools, {
				...note,
				undoing
			});
			await (restoring ? settleRestore(tools, {
				...note,
				restoring
			}) : finish(tools, note));
			return note.undone;
		});
	} catch (error) {
		if (tools.signal.aborted || error instanceof HostError || !(error instanceof AppError)) throw error;
		const left = await readStoppedApp(tools);
		const half = left?.undoing ? "an undo of a restore" : left?.restoring && "a restore";
		if (half && !cures) throw unsettled(error, half);
		const app = await appRuns(tools) ? "" : ", the app stays stopped";
		tools.log.warning(`An interrupted run could not be finished${app}: ${messageOf(error)}`);
		return left?.undone;
	}
}
/** A run that was cut off before it stopped anything leaves at most a definition that nothing was made of. */
async function takeBackDefinition(tools) {
	const installed = await readInstalled(tools);
	if (installed.length === 0) return;
	tools.log.warning("An earlier run was cut off before it replaced anything: its definition is taken back");
	await putDefinitionBack(tools, installed);
}
function unsettled(error, what) {
	return failure("restore-cut", `${what} was cut off and can be neither finished nor taken back: ${error.message}`, {
		hint: "The app stays stopped. Mend what the message names and run this again, or restore a backup.",
		cause: error
	});
}
async function finish(tools, note) {
	tools.log.warning(`An earlier run was cut off while it had the app stopped${note.undone ? `: ${note.undone}` : ""}`);
	if (await appRuns(tools)) return goOnBesideApp(tools, note);
	if (!note.previous) await putDefinitionBack(tools, await readInstalled(tools));
	const services = await servicesOf$1(tools, "infrastructure");
	for (const one of services.filter(holdsData)) await assertSoleServer(tools, one);
	let failed = await goOn(tools, {
		note,
		services
	});
	if (!failed && note.previous) await recordInfrastructure(tools, services, { mixed: true });
	if (failed && Object.keys(note.previous ?? {}).length > 0) failed = await goBack$1(tools, {
		note,
		services,
		failed
	});
	if (!failed) return startWriters(tools);
	if (failed.differences.length === 0) throw failed.error;
	await leaveToRestore(tools, {
		note,
		services,
		failed
	});
}
/**
* Somebody, or the engine at its start, has started the app since. What it deletes is not lost, so keys are not compared (a
* database's facts only grow), and nothing may be taken away under it: what is stopped is started, no more.
*/
async function goOnBesideApp(tools, note) {
	tools.log.warning("Somebody has started the app since: the keys are not compared, and nothing is put back");
	const services = await servicesOf$1(tools, "infrastructure");
	const databases = names$1(services.filter((one) => one.service.kind === "postgres"));
	const fingerprints = note.fingerprints.filter(({ service }) => databases.includes(service));
	const failed = await goOn(tools, {
		note: {
			...note,
			fingerprints
		},
		services
	});
	if (failed) throw failed.error;
	if (note.previous) await recordInfrastructure(tools, services, { mixed: true });
	await startWriters(tools);
}
/** Starts what is there, the data services first. */
async function goOn(tools, { note, services }) {
	return tryCompared(tools, {
		services,
		before: note.fingerprints,
		step: {
			start: "start-interrupted",
			wait: "wait-interrupted",
			compare: "compare-interrupted"
		},
		...comparedOnce(tools, note, (some) => startThese(tools, some))
	});
}
function startThese({ stack }, services) {
	return stack.up(services, {
		noRecreate: true,
		noDependencies: true,
		pull: "never"
	});
}
/** The first rung of the run that was cut off: what it had replaced, as it was. */
async function goBack$1(tools, { note, services, failed }) {
	const { previous = {} } = note;
	tools.log.warning(`The new containers of the interrupted run do not serve: ${messageOf(failed.error)}. Putting back what was there before.`);
	const replaced = services.filter((one) => one.service.name in previous);
	const images = Object.fromEntries(Object.entries(previous).flatMap(([name, id]) => id === null ? [] : [[name, id]]));
	const putBack = async () => putDefinitionBack(tools, await readInstalled(tools));
	const known = replaced.filter((one) => one.service.name in images);
	const before = await stoppedWith(tools, known, {
		before: note.fingerprints,
		proven: failed.proven
	});
	const still = await backToPrevious(tools, {
		services: replaced,
		images,
		before,
		proven: failed.proven,
		putBack
	});
	if (still) return still;
	tools.log.warning(`It is proven that ${describeRung("previous-images")}`);
	await startOthers(tools, services.filter((one) => !replaced.includes(one) && one.container));
}
/** What stood still beside the data although it was not replaced. */
async function startOthers(tools, services) {
	if (services.length === 0) return;
	await tools.work.step("start-others", startThese(tools, names$1(services)));
	await tools.work.check("wait-others", () => waitHealthy(tools, definitions(services)), void 0);
}
/** Everything but the app runs, for a restore needs its servers. */
async function leaveToRestore(tools, { note, services, failed }) {
	const { previous: _over, ...left } = note;
	const noted = noteStoppedApp(tools.layout, {
		...left,
		awaits: "restore"
	});
	const rest = names$1(services.filter((one) => !holdsData(one)));
	const start = rest.length === 0 ? noted : change`${noted} || exit\n${startThese(tools, rest)}`;
	await tools.work.step("note-restore", start);
	const [{ service, fact, before, after } = {
		service: "?",
		fact: "?",
		before: "?",
		after: "?"
	}] = failed.differences;
	tools.log.warning(`The data of ${service} is not what the interrupted run had stopped (${fact}: ${before}, now ${after}): ${restoreFirst(note)}`);
}

// src/service/container.ts
/** Services of which nothing but their container is known: Docker's state and health check are all there is to ask. */
function containerDriver() {
	return {
		kinds: ["container"],
		probe: async (_service, container) => containerHealth(container)
	};
}
/**
* What Docker says of a container. Without a health check a running container is healthy only as far as Docker can
* know, and the check says so. A health check that has not ended its start period yet is `degraded`.
*/
function containerHealth(container) {
	const check = containerCheck(container);
	return {
		state: healthOf$1([check]),
		checks: [check],
		details: { container: container.state }
	};
}
function containerCheck(container) {
	const name = "container";
	if (container.state !== "running") {
		const why = container.oomKilled ? ", killed for want of memory" : "";
		return {
			name,
			state: "failed",
			detail: `${container.state} with exit code ${container.exitCode}${why}`
		};
	}
	if (container.health === void 0) return {
		name,
		state: "ok",
		detail: "running, no health check"
	};
	if (container.health === "healthy") return {
		name,
		state: "ok",
		detail: "running, healthy"
	};
	return {
		name,
		state: container.health === "starting" ? "warning" : "failed",
		detail: `running, ${container.health}`
	};
}
/** A service's state from its checks: the worst counts, and one that could not run is never taken for a good one (S11). */
function healthOf$1(checks) {
	if (checks.some((check) => check.state === "failed")) return "unhealthy";
	if (checks.length === 0 || checks.some((check) => check.state === "unknown")) return "unknown";
	return checks.some((check) => check.state === "warning") ? "degraded" : "healthy";
}

// src/service/coturn.ts
/** TURN servers: they must answer a STUN binding request, by their own client inside the container, else by the host's `nc`. */
function coturnDriver() {
	return {
		kinds: ["coturn"],
		async probe(service, container) {
			const docker = containerCheck(container);
			const checks = docker.state === "failed" ? [docker] : [docker, await bind(service, container)];
			return {
				state: healthOf$1(checks),
				checks,
				details: {}
			};
		}
	};
}
async function bind({ config, host }, container) {
	const seconds = Math.max(1, Math.ceil(config.timeout / 1e3));
	const address = container.networks.find((one) => one.address !== "")?.address ?? "127.0.0.1";
	const arguments_ = [
		container.id,
		config.port ?? 3478,
		address,
		seconds
	];
	const command = script("read", remoteScript("stun-probe"), arguments_);
	const { code, stdout, stderr } = await host.run(command, {
		allow: "any",
		timeout: 2 * config.timeout + 1e4
	});
	const name = "stun-binding";
	if (code === 0) return {
		name,
		state: "ok",
		detail: `answered a binding request (${stdout.trim()})`
	};
	if (code === 10) return {
		name,
		state: "unknown",
		detail: "neither the container has turnutils_stunclient nor the host nc"
	};
	return {
		name,
		state: "failed",
		detail: `no answer to a binding request${said(stderr)}`
	};
}
function said(stderr) {
	const last = stderr.trim().split("\n").at(-1);
	return last ? `: ${last}` : "";
}

// src/service/http.ts
/** Services that answer HTTP at their `url`, asked from the host; without one their container is all that is looked at. */
function httpDriver() {
	return {
		kinds: ["http"],
		probe: async (service, container) => probe$4(service, containerCheck(container))
	};
}
async function probe$4({ config, host }, container) {
	if (config.url === void 0 || container.state === "failed") return {
		state: healthOf$1([container]),
		checks: [container],
		details: {}
	};
	const answer = await askUrl(host, config.url, config.timeout);
	const checks = [container, httpCheck(answer, config.url)];
	const details = answer.kind === "answered" ? {
		"http-status": answer.status,
		...timeOf(answer)
	} : {};
	return {
		state: healthOf$1(checks),
		checks,
		details
	};
}
/** A check from an answer: any 2xx is well. */
function httpCheck(answer, url) {
	const name = "http";
	switch (answer.kind) {
		case "answered": return {
			name,
			state: answer.status >= 200 && answer.status < 300 ? "ok" : "failed",
			detail: `${url} answered ${answer.status}`
		};
		case "unreachable": return {
			name,
			state: "failed",
			detail: `${url} cannot be reached: ${answer.reason}`
		};
		case "unable": return {
			name,
			state: "unknown",
			detail: answer.reason
		};
	}
}
function timeOf({ milliseconds }) {
	return milliseconds === void 0 ? {} : { "response-milliseconds": Math.round(milliseconds) };
}

// src/service/openvidu.ts
/**
* OpenVidu 2 servers: `/openvidu/api/health` must say UP, and the number of sessions is told where the server's secret
* lets us ask. `url` is the server's base URL as the host sees it.
*/
function openviduDriver() {
	return {
		kinds: ["openvidu"],
		probe: probe$3,
		occupancy
	};
}
async function probe$3(service, container) {
	const docker = containerCheck(container);
	if (docker.state === "failed") return {
		state: "unhealthy",
		checks: [docker],
		details: {}
	};
	const result = await ask$3(service, container);
	if (result === void 0) {
		const check = {
			name: "http",
			state: "unknown",
			detail: notSet(service)
		};
		return {
			state: healthOf$1([docker, check]),
			checks: [docker, check],
			details: {}
		};
	}
	const answer = result.code === 0 ? parseOpenvidu(result.stdout) : void 0;
	const checks = [docker, ...answer?.checks ?? [refused$2(result.code, result.stderr)]];
	return {
		state: healthOf$1(checks),
		checks,
		details: answer?.details ?? {}
	};
}
/** A session counts when somebody is connected to it, or when the server does not say who is. */
async function occupancy(service, container) {
	if (container.state !== "running") return {
		state: "free",
		detail: "it does not run"
	};
	const result = await ask$3(service, container);
	if (result === void 0) return {
		state: "unknown",
		detail: notSet(service)
	};
	if (result.code === 10) return {
		state: "unknown",
		detail: "the host has no curl to ask with"
	};
	if (result.code !== 0) return {
		state: "free",
		detail: "it does not answer"
	};
	const live = liveSessions(result.stdout);
	if (live === void 0) return {
		state: "unknown",
		detail: "its list of sessions cannot be read"
	};
	return {
		state: live === 0 ? "free" : "occupied",
		detail: `${live} live sessions`
	};
}
/** Undefined when nothing says where to ask. */
async function ask$3({ config, host }, container) {
	if (config.url === void 0) return void 0;
	const seconds = Math.max(1, Math.ceil(config.timeout / 1e3));
	const command = script("read", remoteScript("openvidu-probe"), [
		new URL(config.url).origin,
		container.id,
		seconds
	]);
	return host.run(command, {
		allow: "any",
		timeout: 2 * config.timeout + 1e4
	});
}
function notSet({ name }) {
	return `services.${name}.url is not set: nothing to ask`;
}
/** How many of the sessions that the server lists have somebody in them; undefined when its answer is not such a list. */
function liveSessions(output) {
	const { numberOfElements: count, content } = parseObject(/^sessions (.*)$/m.exec(output)?.[1] ?? "") ?? {};
	if (typeof count !== "number") return void 0;
	if (!Array.isArray(content) || content.length !== count) return count;
	return content.filter((one) => connectionsOf(one) !== 0).length;
}
function connectionsOf(session) {
	return session?.connections?.numberOfElements;
}
/** Reads what `openvidu-probe.sh` printed. A body that is not the server's JSON is a wrong answer, never a good one. */
function parseOpenvidu(output) {
	const body = (name) => new RegExp(`^${name} ?(.*)$`, "m").exec(output)?.[1] ?? "";
	const status = parseObject(body("health"))?.status;
	const sessions = parseObject(body("sessions"))?.numberOfElements;
	const counted = typeof sessions === "number";
	return {
		checks: [{
			name: "http",
			state: status === "UP" ? "ok" : "failed",
			detail: typeof status === "string" ? `health is ${status}` : "the health path gave no status"
		}, ...counted ? [{
			name: "sessions",
			state: "ok",
			detail: `${sessions} sessions`
		}] : []],
		details: { sessions: counted ? sessions : "unknown" }
	};
}
function refused$2(code, stderr) {
	if (code === 10) return {
		name: "http",
		state: "unknown",
		detail: "the host has no curl"
	};
	const last = stderr.trim().split("\n").at(-1);
	return {
		name: "http",
		state: "failed",
		detail: `no answer${last ? `: ${last}` : ""}`
	};
}
function parseObject(text) {
	try {
		const value = JSON.parse(text);
		return typeof value === "object" && value !== null ? value : void 0;
	} catch {
		return;
	}
}

// src/service/postgres/explain-failure.ts
const explanations = [
	{
		pattern: /is not the file that the backup's manifest describes/,
		code: "backup-damaged",
		problem: "the stored file was changed or cut",
		hint: "Nothing live was touched. Use this backup's copy in the other store, or another backup."
	},
	{
		pattern: /No space left on device|could not extend file|Disk quota exceeded/,
		code: "postgres-disk-full",
		problem: "the disk is full",
		hint: "Make room (old backups, docker image prune); nothing half written was left. Small shared memory of the container (shm_size) gives the same message."
	},
	{
		pattern: /(statement timeout|lock timeout)[\s\S]*LOCK TABLE|LOCK TABLE[\s\S]*(statement|lock) timeout|due to lock timeout|could not obtain lock/,
		code: "postgres-locked",
		problem: "a table stayed locked by another session",
		hint: "Wait for that session (a migration?) or end it, then run again."
	},
	{
		pattern: /No such container|is not running|cannot exec in a stopped|container .* is (restarting|paused)/,
		code: "postgres-not-running",
		problem: "the container does not run",
		hint: "See the container's log; debug starts what is merely stopped."
	},
	{
		pattern: /terminating connection due to|the database system is (shutting down|starting up|in recovery|not yet accepting)|server closed the connection|no connection to the server/,
		code: "postgres-stopped",
		problem: "the server stopped, or ended our session, in the middle",
		hint: "See the container's log for who stopped it, then run again."
	},
	{
		pattern: /Is the server running locally|could not connect to server|Connection refused/,
		code: "postgres-no-answer",
		problem: "the server does not answer",
		hint: "See the container's log; a server in crash recovery needs time."
	},
	{
		pattern: /pg_dump was ended by signal|terminated by user/,
		code: "postgres-dump-killed",
		problem: "somebody or something killed pg_dump",
		hint: "Signal 9 is as a rule the kernel's, for want of memory: see dmesg and the container's mem_limit. Then run again."
	},
	{
		pattern: /too many clients|remaining connection slots|too many connections/,
		code: "postgres-connections",
		problem: "the server has no free connection",
		hint: "Raise max_connections, or close idle connections of the app."
	},
	{
		pattern: /password authentication failed|[Pp]eer authentication failed|no password supplied|no pg_hba.conf entry/,
		code: "postgres-login",
		problem: "the server refuses the login over its local socket",
		hint: "POSTGRES_USER and POSTGRES_PASSWORD of the container must be those of the database, or pg_hba.conf must have `local all all trust`."
	},
	{
		pattern: /permission denied|must be superuser|must be owner/,
		code: "postgres-permission",
		problem: "the user lacks a right",
		hint: "POSTGRES_USER must be a superuser: it is when the image made it."
	},
	{
		pattern: /invalid page|could not read block|could not open file|missing chunk|checksum|unexpected chunk|corrupt|_damaged_pages/,
		code: "postgres-damaged",
		problem: "the data itself is damaged",
		hint: "Do not restart or recreate it. Take a cold copy of the data directory first, then restore the last proven backup."
	}
];
/**
* Names the cause of a failed command from its error output. `what` is the sentence's subject, for example `the dump of
* app`; when no cause is known the code is `otherwise` and the message the first error line.
*/
function explainFailure(what, text, otherwise, cause) {
	const output = beforeStopping(text);
	const known = explanations.find(({ pattern }) => pattern.test(output));
	const line = errorLine(output);
	const blocker = blockerOf(output);
	const problem = [
		known?.problem,
		blocker,
		line
	].filter((part) => part !== void 0 && part !== "").join(": ");
	return failure(known?.code ?? otherwise, `${what} failed: ${problem || "it gave no reason"}`, {
		...known && { hint: known.hint },
		...cause !== void 0 && { cause }
	});
}
/** What comes behind this mark of our scripts is what their own ending of everything made others say. */
function beforeStopping(text) {
	const before = text.split(/^ia-[0-9a-f]{24} stopping$/m)[0] ?? "";
	return before.trim() === "" ? text : before;
}
function errorLine(output) {
	const all = output.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !/^ia-[0-9a-f]{24} /.test(line));
	return (all.find((line) => /\b(FATAL|ERROR|PANIC)\b|error:|No space left/.test(line)) ?? all.at(-1) ?? "").slice(0, 500);
}
function blockerOf(output) {
	const found = /^ia-[0-9a-f]{24} blocker (.*)$/m.exec(output)?.[1];
	return found === void 0 ? void 0 : `it is held by ${found}`;
}

// src/service/postgres/identifiers.ts
/** A name as SQL takes it, whatever characters it holds. */
function identifier(name) {
	return `"${name.replaceAll("\"", "\"\"")}"`;
}
/** A text as an SQL string constant; our sessions have `standard_conforming_strings` on. */
function literal(text) {
	return `'${text.replaceAll("'", "''")}'`;
}
/**
* A libpq connection string for a database of any name; an empty name stands for the image's own database. A bare name
* would be taken for a connection string itself when it holds `=` or begins with `postgres:`.
*/
function connectionTo(database) {
	return database === "" ? "" : `dbname='${database.replaceAll(/['\\]/g, "\\$&")}'`;
}
/** The name of a database restored beside `database` (`new`), or of the one that it replaced (`old`): at most 63 bytes. */
function besideName(database, state, run) {
	const suffix = `__${state}_${(0, node_crypto.createHash)("sha256").update(`${run}\0${database}`).digest("hex").slice(0, 8)}`;
	return `${cutToBytes(database, 63 - suffix.length)}${suffix}`;
}
/** Is this a name that `besideName` gives? */
function isBesideName(name) {
	return /__(new|old)_[0-9a-f]{8}$/.test(name);
}
/** A database's name as part of a step's name: kebab-case, distinct for distinct names. */
function stepPart(database) {
	if (/^[a-z0-9]+(-[a-z0-9]+)*$/.test(database)) return database;
	return [database.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "").slice(0, 30), (0, node_crypto.createHash)("sha256").update(database).digest("hex").slice(0, 6)].filter((part) => part !== "").join("-");
}
function cutToBytes(text, limit) {
	let cut = "";
	for (const character of text) {
		if (Buffer.byteLength(cut + character) > limit) break;
		cut += character;
	}
	return cut;
}

// src/service/postgres/marked-lines.ts
/** A word that nobody can guess: what a script of ours prints behind it is ours, whatever else prints. */
function newNonce() {
	return `ia-${(0, node_crypto.randomBytes)(12).toString("hex")}`;
}
/** The lines that begin with the nonce, without it, in order. */
function markedLines(text, nonce) {
	const mark = `${nonce} `;
	return text.split("\n").flatMap((line) => line.startsWith(mark) ? [line.slice(mark.length)] : []);
}
/** What follows `key` on marked lines. */
function valuesOf(lines, key) {
	return lines.flatMap((line) => line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []);
}
/** Did the script come to its own end, with code 0? `docker exec` answers 0 also when it was told to stop. */
function cameToEnd(lines) {
	return lines.at(-1) === "end 0";
}
/** The bytes that a script of ours tells from time to time. */
function progressOf(nonce, total) {
	return {
		total,
		read: (line) => {
			const [bytes] = valuesOf(markedLines(line, nonce), "progress");
			return bytes === void 0 ? void 0 : Number(bytes);
		}
	};
}

// src/service/postgres/inside.ts
/** The text of a script that runs inside the container, behind the part that logs in. */
function insideScript(name) {
	return `${remoteScript("postgres-session")}\n${remoteScript(`postgres-${name}-inside`)}`;
}
/** Runs such a script; its standard input is that of the command. */
function execInside(effect, container, { name, args }) {
	return (effect === "change" ? change : sh)`docker exec -i ${container.id} sh -c ${insideScript(name)} sh ${args}`;
}
/** The rows of the same SQL from each database, in their order. Throws a named failure when any of them has no answer. */
async function ask$2(service, container, sql, { databases = ["template1"], limit = 6e4, ownPath = false } = {}) {
	const nonce = newNonce();
	const command = execInside("read", container, {
		name: "ask",
		args: [
			nonce,
			Math.ceil(limit / 1e3),
			ownPath ? "own-path" : "pinned",
			sql,
			...databases.map(connectionTo)
		]
	});
	const result = await service.host.run(command, {
		timeout: databases.length * limit + 15e3,
		allow: "any"
	});
	const lines = markedLines(result.stdout, nonce);
	if (result.code !== 0 || !cameToEnd(lines)) throw unanswered(service, result);
	return databases.map((_, at) => lines.flatMap((line) => line.startsWith(`${at} `) ? [line.slice(`${at} `.length)] : []));
}
/** The named failure behind a command that ended badly; anything else that was thrown stays as it is. */
function named(what, otherwise, error) {
	if (!(error instanceof CommandError)) return error;
	return explainFailure(what, outputOf(error.result), otherwise, error);
}
function unanswered(service, result) {
	return explainFailure(`asking ${service.name}`, outputOf(result), "postgres-query-failed");
}
function outputOf({ stdout, stderr }) {
	return `${stderr}\n${stdout}`;
}

// src/service/postgres/sql.ts
/** Facts about the server and its databases; one JSON object. */
const serverSql = `
select json_build_object(
  'version', current_setting('server_version_num')::int,
  'now', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'dataChecksums', current_setting('data_checksums') = 'on',
  'superuser', (select rolsuper from pg_roles where rolname = current_user),
  'standby', pg_is_in_recovery(),
  'oldSnapshotThreshold', coalesce(current_setting('old_snapshot_threshold', true), '-1'),
  'roles', (select json_agg(rolname) from pg_roles),
  'ownTablespaces', (select count(*) from pg_tablespace where spcname not in ('pg_default', 'pg_global')),
  'databases', (
    select json_agg(json_build_object(
      'name', datname,
      'size', pg_database_size(oid),
      'connectable', datallowconn and datconnlimit <> -2,
      'template', datistemplate,
      'comment', shobj_description(oid, 'pg_database'),
      'prepared', (select count(*) from pg_prepared_xacts where database = datname),
      'slots', (select coalesce(json_agg(slot_name), '[]') from pg_replication_slots where database = datname),
      'subscriptions', (select coalesce(json_agg(subname), '[]') from pg_subscription where subdbid = pg_database.oid and subenabled)
    ) order by datname)
    from pg_database))`;
/** Numbers for a probe; one JSON object. */
const probeSql = `
select json_build_object(
  'connections', (select count(*) from pg_stat_activity where backend_type = 'client backend'),
  'maxConnections', current_setting('max_connections')::int,
  'version', current_setting('server_version'),
  'standby', pg_is_in_recovery(),
  'sizes', (select json_object_agg(datname, pg_database_size(oid) order by datname) from pg_database where datallowconn))`;
/**
* Counts a database exactly, one line for each thing: `table OID {json}`, `member OID` (a table of an extension whose
* rows are dumped but come partly from the extension itself), `extension {json}`, `objects N`, `size BYTES`. Which relations have data
* in a dump: ordinary tables, `from only`, no partition parents, no foreign tables.
*/
const countSql = countingSql();
const row = `"infra-actions: the row"`;
/**
* As `countSql`, with a checksum of the content: `checksum` in a table's JSON, `objects-checksum N`. A sum of hashes
* needs no order; `format`, since a cast to text can be a function of the table's owner, and we are a superuser; the settings that change a row's text are pinned, and 15 and 17 give the same text. Large objects
* are read a megabyte at a time, for one may be larger than any value can be.
*/
const checksumSql = `
set extra_float_digits = 3;
set timezone = 'UTC';
set datestyle = 'ISO, MDY';
set intervalstyle = postgres;
set bytea_output = hex;
set lc_monetary = 'C';
select 'objects-checksum ' || coalesce(sum(hashtextextended(format('%s:%s:%s', loid, at, md5(lo_get(loid, at, 1048576))), 0)::numeric), 0)
from (select loid, max(pageno)::bigint * 2048 as last from pg_largeobject group by loid) o, generate_series(0, last, 1048576) at;
${countingSql(`, ''checksum'', (select coalesce(sum(hashtextextended(format(''%%s'', ${row}), 0)::numeric), 0)::text from only %4$I.%5$I ${row})`)}`;
function countingSql(more = "") {
	return `
select 'size ' || pg_database_size(current_database());
select 'objects ' || count(*) from pg_largeobject_metadata;
select 'extension ' || json_build_object('name', extname, 'version', extversion) from pg_extension order by extname;
select 'member ' || c.oid
from pg_extension e, unnest(e.extconfig) config(oid) join pg_class c on c.oid = config.oid
where c.relkind = 'r' order by c.oid;
select format(
  'select ''table %1$s '' || json_build_object(''schema'', %2$L::text, ''name'', %3$L::text, ''rows'', (select count(*) from only %4$I.%5$I)${more})',
  c.oid, n.nspname, c.relname, n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
\\gexec
`;
}
/** Sessions that hold a lock strong enough to stop a dump. No query text: it may hold data. */
const blockersSql = `
select distinct format('%s (pid %s, user %s, %s, in a transaction since %s) on %s',
  coalesce(nullif(a.application_name, ''), 'a session without a name'), a.pid, a.usename, a.state, a.xact_start, l.relation::regclass)
from pg_locks l join pg_stat_activity a using (pid)
where l.granted and l.mode = 'AccessExclusiveLock' and l.locktype = 'relation' and a.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
limit 5;
`;
/**
* Tables whose file is shorter than the catalog says it was at the last vacuum or analyze, one JSON string a line. A heap
* file cut at a page boundary is dumped without any error, with rows missing. Unlogged tables are emptied by a crash.
*/
const shortTablesSql = `
select to_json(format('%I.%I', n.nspname, c.relname))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 't', 'm') and c.relpersistence = 'p' and c.relpages > 0
  and pg_relation_size(c.oid) / current_setting('block_size')::int < c.relpages
order by n.nspname, c.relname;
`;
/**
* Foreign keys, one JSON object a line: whether it was ever checked for all rows, and whether one of the first thousand
* rows points at nothing. Needs no more than a second even on large tables.
*/
const foreignKeysSql = `
select format(
  'select json_build_object(''table'', %L::text, ''name'', %L::text, ''valid'', %L::boolean, ''broken'', exists (select from (select %s from %I.%I where %s limit 1000) c where not exists (select from %I.%I p where %s)))',
  n.nspname || '.' || t.relname, k.conname, k.convalidated,
  string_agg(format('%I', a.attname), ', ' order by x.position), n.nspname, t.relname,
  string_agg(format('%I is not null', a.attname), ' and ' order by x.position), pn.nspname, p.relname,
  string_agg(format('p.%I = c.%I', pa.attname, a.attname), ' and ' order by x.position))
from pg_constraint k
join pg_class t on t.oid = k.conrelid join pg_namespace n on n.oid = t.relnamespace
join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
cross join lateral unnest(k.conkey, k.confkey) with ordinality x(key, foreign_key, position)
join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.key
join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = x.foreign_key
where k.contype = 'f' and k.conparentid = 0
group by k.oid, k.conname, k.convalidated, n.nspname, t.relname, pn.nspname, p.relname
\\gexec
`;
/** Writes and reads a row of a table that is gone when the session ends. */
const roundTripSql = `
create temporary table infra_actions_round_trip (value text);
insert into infra_actions_round_trip values ('written');
select value from infra_actions_round_trip;
`;

// src/service/postgres/assert-whole-files.ts
/**
* Throws when a table's file is shorter than the catalog says: a file cut at a page boundary is dumped with code 0 and
* counted as it is. A vacuum that is just giving pages back looks the same for a moment, so it is looked at twice.
*/
async function assertWholeFiles(service, container, databases) {
	const first = await ask$2(service, container, shortTablesSql, { databases });
	const suspects = databases.filter((_, at) => (first[at]?.length ?? 0) > 0);
	if (suspects.length === 0) return;
	const second = await ask$2(service, container, `select from pg_sleep(3);\n${shortTablesSql}`, { databases: suspects });
	const short = suspects.flatMap((database, at) => {
		const before = new Set(first[databases.indexOf(database)]);
		return (second[at] ?? []).filter((table) => before.has(table)).map((table) => `${database}: ${JSON.parse(table)}`);
	});
	if (short.length === 0) return;
	throw failure("postgres-damaged", `files of ${service.name} are shorter than its catalog says, so rows are missing: ${short.slice(0, 5).join(", ")}`, { hint: "Take a cold copy of the data directory, then restore the last proven backup. If you know that nothing is missing, VACUUM these tables and run again." });
}

// src/service/postgres/contents.ts
const countSchema = require_libraries.object({
	schema: require_libraries.string$1(),
	name: require_libraries.string$1(),
	rows: require_libraries.number(),
	checksum: require_libraries.string$1().optional()
});
const extensionSchema = require_libraries.object({
	name: require_libraries.string$1(),
	version: require_libraries.string$1()
});
/**
* A database's contents from the lines that `countSql` gives. Throws when a line is missing: a count that was cut off
* must never look like a small database (S7).
*/
function databaseContents(name, facts) {
	const [size] = valuesOf(facts, "size").map(Number);
	const [largeObjects] = valuesOf(facts, "objects").map(Number);
	if (size === void 0 || largeObjects === void 0) throw failure("postgres-count", `the rows of ${name} were not counted: the answer has no size`);
	const tables = valuesOf(facts, "table").map((line) => countSchema.parse(JSON.parse(line.slice(line.indexOf(" ") + 1))));
	const [largeObjectsChecksum] = valuesOf(facts, "objects-checksum");
	return {
		name,
		size,
		largeObjects,
		tables,
		extensions: valuesOf(facts, "extension").map((line) => extensionSchema.parse(JSON.parse(line))),
		...largeObjectsChecksum !== void 0 && { largeObjectsChecksum }
	};
}
function rowsOf(database) {
	return database.tables.reduce((sum, { rows }) => sum + rows, 0);
}

// src/service/postgres/packing.ts
/** What a dump can be: packed by pg_dump with zstd or gzip, by zstd behind it, as a directory, or as SQL. */
const packings = {
	zstd: {
		extension: ".dump",
		stored: "archive"
	},
	gzip: {
		extension: ".dump",
		stored: "archive"
	},
	"zstd-pipe": {
		extension: ".dump.zst",
		stored: "zst"
	},
	"directory-zstd": {
		extension: ".dir.tar",
		stored: "directory"
	},
	"directory-gzip": {
		extension: ".dir.tar",
		stored: "directory"
	},
	plain: {
		extension: ".sql.gz",
		stored: "sql"
	}
};
function packed(packing) {
	return packings[packing];
}
/** How the file of a backup is read, by its name. */
function storedAs(file) {
	const found = Object.values(packings).find(({ extension }) => file.endsWith(extension));
	if (found) return found.stored;
	throw failure("manifest-incomplete", `${file} has no name that a dump of a database has`);
}
/** The quickest packing for the format that this container's programs know (gzip costs most of a dump's time). */
async function choosePacking(service, container, format) {
	if (format === "plain") return "plain";
	const nonce = newNonce();
	const { stdout } = await service.host.run(execInside("read", container, {
		name: "format",
		args: [nonce]
	})).catch((error) => {
		throw named(`asking ${service.name} how it can pack a dump`, "postgres-answer", error);
	});
	const [known] = valuesOf(markedLines(stdout, nonce), "format");
	if (known !== "zstd" && known !== "zstd-pipe" && known !== "gzip") throw failure("postgres-answer", `the container of ${service.name} did not say how it can pack a dump`);
	if (format === "custom") return known;
	return known === "zstd" ? "directory-zstd" : "directory-gzip";
}
/** What a dry run takes for `choosePacking`. */
function assumedPacking(format) {
	return format === "custom" ? "zstd" : format === "directory" ? "directory-zstd" : "plain";
}

// src/remote/hashing-script.ts
/** The text of a script that uses the shell function `sha256`, behind that function. */
function hashingScript(name) {
	return `${remoteScript("sha256")}\n${remoteScript(name)}`;
}

// src/service/postgres/place.ts
/** From which size on, in bytes, a container is worth its start unless told. */
const worthwhile = 64 * 2 ** 20;
function placeOf(container, from = worthwhile) {
	let isRefused = false;
	const refusal = (line, nonce) => {
		const [why] = valuesOf(markedLines(line, nonce), "inside");
		if (why === void 0 || isRefused) return void 0;
		isRefused = true;
		return `no container can run beside ${container.name}, so its data goes through docker exec, which takes longer: ${why}`;
	};
	return {
		wordsFor: (size) => isRefused || size < from ? [
			container.id,
			"",
			"",
			""
		] : [
			container.id,
			container.imageId,
			insideScript("login"),
			insideScript("beside")
		],
		progress: (nonce, total) => ({
			...progressOf(nonce, total),
			say: (line) => refusal(line, nonce)
		})
	};
}
/** Of the containers that run beside this one; a filter of `docker ps`. */
function besideLabel(id) {
	return `label=infra-actions.beside=${id}`;
}
/** The text of a script that runs its programs where `wordsFor` says. */
function placedScript(name) {
	return `${remoteScript("postgres-place")}\n${hashingScript(name)}`;
}

// src/service/postgres/dump-command.ts
function dumpDatabaseCommand(place, dump) {
	const { nonce, database, packing, path, run, lockLimit, checksums, size } = dump;
	return script("change", placedScript("postgres-dump"), [
		...place.wordsFor(size),
		insideScript("dump"),
		insideScript("check"),
		nonce,
		path,
		packed(packing).stored,
		connectionTo(database),
		sessionName(run),
		packing,
		lockLimit,
		checksums ? checksumSql : countSql,
		blockersSql
	]);
}
function dumpGlobalsCommand(container, { nonce, path, lockLimit }) {
	return script("change", placedScript("postgres-dump"), [
		...placeOf(container).wordsFor(0),
		insideScript("globals"),
		insideScript("check-globals"),
		nonce,
		path,
		"globals",
		lockLimit
	]);
}
/** The archive of a database without its data: how it is made, which SQL alone does not say. */
function dumpPropertiesCommand(container, { nonce, database, path, lockLimit }) {
	return script("change", placedScript("postgres-dump"), [
		...placeOf(container).wordsFor(0),
		insideScript("properties"),
		insideScript("check"),
		nonce,
		path,
		"archive",
		connectionTo(database),
		lockLimit
	]);
}
/** An application name of at most 63 bytes that stands in SQL and shell as it is. */
function sessionName(run) {
	return `infra-actions-${run.replaceAll(/[^A-Za-z0-9-]/g, "-")}`.slice(0, 63);
}

// src/service/postgres/server-facts.ts
const databaseSchema = require_libraries.object({
	name: require_libraries.string$1(),
	/** Bytes on disk. */
	size: require_libraries.number(),
	connectable: require_libraries.boolean(),
	template: require_libraries.boolean(),
	comment: require_libraries.string$1().nullable(),
	/** Prepared transactions: their rows are in no dump, and they stop a rename. */
	prepared: require_libraries.number(),
	/** Logical replication slots: they stay with the database when it gets another name. */
	slots: require_libraries.array(require_libraries.string$1()),
	/** Subscriptions that run: they would go on filling the database under its new name. */
	subscriptions: require_libraries.array(require_libraries.string$1())
});
const serverSchema = require_libraries.object({
	/** `server_version_num`: 170011 for 17.11. */
	version: require_libraries.number(),
	/** The server's own time, ISO 8601, UTC. */
	now: require_libraries.string$1(),
	systemIdentifier: require_libraries.string$1(),
	dataChecksums: require_libraries.boolean(),
	superuser: require_libraries.boolean(),
	standby: require_libraries.boolean(),
	oldSnapshotThreshold: require_libraries.string$1(),
	roles: require_libraries.array(require_libraries.string$1()),
	ownTablespaces: require_libraries.number(),
	databases: require_libraries.array(databaseSchema)
});
/** What the running server says about itself. Throws a named failure, with the log's end, when it does not run or answer. */
async function readServer(service, container) {
	if (container.state !== "running") throw await notRunning(service, container);
	const [rows = []] = await ask$2(service, container, serverSql);
	const parsed = serverSchema.safeParse(JSON.parse(rows.join("\n") || "null"));
	if (parsed.success) return parsed.data;
	throw failure("postgres-answer", `${service.name} gave an answer that makes no sense: ${parsed.error.issues[0]?.message}`);
}
/** What a dry run takes for the facts of a server that it would have started. */
const assumedServer = {
	version: 0,
	now: "1970-01-01T00:00:00Z",
	systemIdentifier: "0",
	dataChecksums: false,
	superuser: true,
	standby: false,
	oldSnapshotThreshold: "-1",
	roles: [],
	ownTablespaces: 0,
	databases: [{
		name: "postgres",
		size: 1,
		connectable: true,
		template: false,
		comment: null,
		prepared: 0,
		slots: [],
		subscriptions: []
	}]
};
/** As `readServer`; when a dry run has not really started the server, `assumed`. */
async function serverFor(work, { service, container, assumed }) {
	if (work.dryRun && container.state !== "running") return assumed;
	return readServer(service, container);
}
const marker = require_libraries.object({
	"infra-actions": require_libraries._enum(["restoring", "replaced"]),
	name: require_libraries.string$1(),
	/** Of a replaced one: its own comment, the restore that replaced it, when, and what that restore made where nothing was. */
	comment: require_libraries.string$1().nullable().default(null),
	run: require_libraries.string$1().optional(),
	at: require_libraries.datetime().optional(),
	made: require_libraries.array(require_libraries.string$1()).default([]),
	/** Moved aside only to be dropped, before anything has replaced it. */
	leaving: require_libraries.boolean().default(false)
});
/** What our own comment on a database says: half restored, or replaced by a restore; undefined on anybody else's. */
function markOf({ comment }) {
	try {
		return marker.safeParse(JSON.parse(comment ?? "null")).data;
	} catch {
		return;
	}
}
/** The databases to look after: those configured, else every one that is not a template and not kept by a restore. */
function chosenDatabases(service, server) {
	const wanted = service.config.databases;
	const all = server.databases.filter((one) => one.connectable && !one.template);
	if (!wanted) return all.filter((one) => markOf(one) === void 0);
	return wanted.map((name) => {
		const found = all.find((one) => one.name === name);
		if (found) return found;
		throw failure("postgres-no-database", `service ${service.name} has no database "${name}"`, { hint: `Correct services.${service.name}.databases in infra.yml; it has: ${all.map((one) => one.name).join(", ")}.` });
	});
}
/** What Postgres writes when it cannot start on its data directory. */
const unreadable$1 = /PANIC|incorrect checksum in control file|could not (locate|find|open|read).*(pg_control|checkpoint|control file|relmapper)|invalid (checkpoint|primary checkpoint) record|database files are incompatible|is not a valid data directory|invalid page/;
async function notRunning(service, container) {
	const log = await service.stack.logs(container, 50);
	const last = log.split("\n").findLast((line) => /FATAL|PANIC|ERROR/.test(line) || unreadable$1.test(line));
	const state = `the container is ${container.state} (exit code ${container.exitCode}, ${container.restarts} restarts)`;
	const told = `${service.name} does not serve: ${state}${last === void 0 ? "" : `; its log says: ${last.trim().slice(0, 300)}`}`;
	if (!unreadable$1.test(log)) return failure("postgres-not-running", told, { hint: "See the container's log; debug starts what is merely stopped." });
	return failure("postgres-unreadable", told, { hint: "The data cannot be read by this image. Take a cold copy of the data directory before anything else; then look at the image's major version, or restore the last proven backup." });
}

// src/core/disk-room.ts
/** Share of a disk that the live services keep free whatever we take. */
const reserve = .05;
/**
* One sentence for each place that is too small for what is taken there, all that lands on the same disk added up; one
* whose disk gave no numbers is, too. `what` is the sentence's subject, `the drill`.
*/
function lackOfRoom(needs, what) {
	return needs.flatMap(({ where, disk, takes: own }) => {
		if (own === 0) return [];
		if (!Number.isFinite(disk.free)) return [`the free room of ${where} cannot be found out`];
		const takes = needs.reduce((sum, one) => sum + (isSameDisk(one.disk, disk) ? one.takes : 0), 0);
		if (disk.free - takes >= disk.size * reserve) return [];
		return [`${where} has ${formatBytes(disk.free)} free; ${what} takes ${formatBytes(takes)} there and must leave 5 %`];
	});
}
/** The same needs once `bytes` of that disk are free as well. */
function withRoomGiven(needs, given, bytes) {
	return needs.map((one) => isSameDisk(one.disk, given) ? {
		...one,
		disk: {
			...one.disk,
			free: one.disk.free + bytes
		}
	} : one);
}
/** A container's own layer and a volume are two file systems with the numbers of one disk, which is written to meanwhile. */
function isSameDisk(one, other) {
	return one.size === other.size && Math.abs(one.free - other.free) <= one.size / 100;
}

// src/service/postgres/space.ts
/** Free bytes on the file system where `directory` is, or would be made. */
async function freeBytes(host, directory) {
	const { stdout } = await host.run(sh`directory=${directory}; until [ -d "$directory" ]; do directory=$(dirname "$directory"); done; df -P -B1 "$directory"`);
	return bytes(stdout.trimEnd().split("\n").at(-1)?.split(/\s+/)[3], directory);
}
/**
* Refuses, with nothing begun, when a restore beside the live data would fill a disk: the live server stops for good
* when it has no room for its WAL, of which the restore makes as much as the server keeps.
*/
async function assertRoomInside(service, container, needed) {
	const lack = (await roomInside(service, container, needed))("restoring beside");
	if (lack !== void 0) throw noRoom(lack, "the live data is only replaced by data that was restored beside it.");
}
/** Looks at the container's disks: what a restore that takes `needed` would lack there. */
async function roomInside(service, container, needed) {
	const [[wal] = []] = await ask$2(service, container, "select pg_size_bytes(current_setting('max_wal_size'));");
	const disks = await disksInside(service, container);
	const needs = [{
		where: `the data directory of ${service.name}`,
		disk: disks.data,
		takes: needed.data + bytes(wal, "max_wal_size")
	}, {
		where: `/tmp in the container of ${service.name}`,
		disk: disks.temporary,
		takes: needed.temporary
	}];
	return (what, given = 0) => lackOfRoom(withRoomGiven(needs, disks.data, given), what)[0];
}
/** `hint` goes on after `Make room: `. */
function noRoom(lack, hint) {
	return refusal("disk-space", lack, { hint: `Make room: ${hint}` });
}
/** The disks of the container: where the data lies and where temporary files go. */
async function disksInside(service, container) {
	const nonce = newNonce();
	const { stdout } = await service.host.run(execInside("read", container, {
		name: "space",
		args: [nonce]
	}));
	const lines = markedLines(stdout, nonce);
	const disk = (key, where) => {
		const [size, free] = (valuesOf(lines, key)[0] ?? "").split(" ");
		return {
			size: bytes(size, where),
			free: bytes(free, where)
		};
	};
	return {
		data: disk("data", "the data directory"),
		temporary: disk("temporary", "the container's /tmp")
	};
}
function bytes(text, where) {
	if (text !== void 0 && /^\d+$/.test(text)) return Number(text);
	throw failure("disk-unknown", `nothing said how much room ${where} has`);
}

// src/service/postgres/backup-server.ts
/**
* One archive for each database, with its rows counted in the dump's own snapshot, and one file with the cluster's
* roles. Every file was decoded to its end from the stored bytes before it got its name. Throws a named failure, with
* no half written file and no session left behind; files that were finished before stay, without a manifest.
*/
async function backupServer$1(service, container, { target, work, lockLimit, place = placeOf(container) }) {
	const job = {
		service,
		container,
		target,
		work,
		lockLimit,
		place
	};
	const server = await serverFor(work, {
		service,
		container,
		assumed: assumedServer
	});
	const databases = chosenDatabases(service, server);
	assertSettings(service, server, databases);
	await assertSpace(service, databases);
	if (!work.dryRun) await assertWholeFiles(service, container, databases.map(({ name }) => name));
	const { format = "custom" } = target;
	const packing = await work.check("choose-format", () => choosePacking(service, container, format), assumedPacking(format));
	const dumps = [];
	for (const database of databases) dumps.push(await dumpDatabase(job, database, {
		packing,
		isOnly: databases.length === 1
	}));
	const globals = await dumpGlobals(job);
	const { version, systemIdentifier, dataChecksums } = server;
	return {
		service: service.name,
		image: container.image,
		artifacts: [...dumps.flatMap(({ artifacts }) => artifacts), globals],
		contents: {
			kind: "postgres",
			version,
			systemIdentifier,
			dataChecksums,
			databases: dumps.map(({ contents }) => contents)
		}
	};
}
async function dumpDatabase(job, { name, size }, { packing, isOnly }) {
	const { service, target, work, lockLimit, place } = job;
	const { extension, stored } = packed(packing);
	const naming = {
		service: service.name,
		stamp: target.stamp,
		extension
	};
	const file = artifactFile("postgres", stored === "sql" && isOnly ? naming : {
		...naming,
		part: name
	});
	const nonce = newNonce();
	const command = dumpDatabaseCommand(place, {
		nonce,
		database: name,
		packing,
		path: `${service.backups}/${file}`,
		run: work.id,
		lockLimit,
		checksums: target.checksums ?? false,
		size
	});
	const dump = {
		step: `dump-${service.name}-${stepPart(name)}`,
		what: `the dump of database "${name}"`,
		nonce,
		command,
		timeout: 6e5 + size / 2e3,
		assume: `${nonce} fact size ${size}\n${nonce} fact objects 0`,
		expected: earlierBytes(job, {
			name,
			stored
		})
	};
	const { whileWriting = (_file, run) => run() } = target;
	const facts = await whileWriting({
		id: target.id,
		file,
		estimate: size
	}, () => runDump(job, dump));
	const contents = databaseContents(name, valuesOf(facts.lines, "fact"));
	const artifact = {
		file,
		role: "database",
		name,
		...facts.stored
	};
	return {
		artifacts: stored === "sql" ? [artifact, await dumpProperties(job, name)] : [artifact],
		contents
	};
}
async function dumpProperties(job, name) {
	const { service, container, target, lockLimit } = job;
	const naming = {
		service: service.name,
		stamp: target.stamp,
		part: name,
		extension: ".properties.dump"
	};
	const file = artifactFile("postgres", naming);
	const nonce = newNonce();
	const path = `${service.backups}/${file}`;
	const { stored } = await runDump(job, {
		step: `dump-${service.name}-${stepPart(name)}-properties`,
		what: `the dump of the properties of database "${name}"`,
		nonce,
		command: dumpPropertiesCommand(container, {
			nonce,
			database: name,
			path,
			lockLimit
		}),
		timeout: 6e5,
		assume: ""
	});
	return {
		file,
		role: "properties",
		name,
		...stored
	};
}
async function dumpGlobals(job) {
	const { service, container, target, lockLimit } = job;
	const file = artifactFile("postgres", {
		service: service.name,
		stamp: target.stamp,
		part: "globals",
		extension: ".sql"
	});
	const nonce = newNonce();
	const { stored } = await runDump(job, {
		step: `dump-${service.name}-globals`,
		what: "the dump of roles and tablespaces",
		nonce,
		command: dumpGlobalsCommand(container, {
			nonce,
			path: `${service.backups}/${file}`,
			lockLimit
		}),
		timeout: 6e5,
		assume: ""
	});
	return {
		file,
		role: "globals",
		name: file.split("/").at(-1) ?? file,
		...stored
	};
}
/** What the same database took in an earlier backup of the same kind. */
function earlierBytes({ service, target }, { name, stored }) {
	return (target.earlier?.find((one) => one.service === service.name)?.artifacts ?? []).find((one) => one.role === "database" && one.name === name && storedAs(one.file) === stored)?.bytes;
}
async function runDump({ work, place }, { step, what, nonce, command, timeout, assume, expected }) {
	const assumed = `${assume}\n${nonce} bytes 1\n${nonce} sha256 ${"0".repeat(64)}\n${nonce} end 0\n`;
	const { stdout } = await work.step(step, command, {
		timeout: Math.ceil(timeout),
		assume: assumed,
		progress: place.progress(nonce, expected)
	}).catch((error) => {
		throw named(what, "postgres-dump-failed", error);
	});
	const lines = markedLines(stdout, nonce);
	const [bytes] = valuesOf(lines, "bytes").map(Number);
	const [sha256] = valuesOf(lines, "sha256");
	if (!cameToEnd(lines) || bytes === void 0 || sha256 === void 0) throw failure("postgres-dump-failed", `${what} failed: it ended without its report`);
	return {
		lines,
		stored: {
			bytes,
			sha256
		}
	};
}
function assertSettings(service, server, databases) {
	if (databases.length === 0) throw failure("postgres-no-database", `service ${service.name} has no database that could be backed up`);
	if (server.oldSnapshotThreshold !== "-1") throw refusal("postgres-settings", `old_snapshot_threshold of ${service.name} is ${server.oldSnapshotThreshold}`, { hint: "Set it to -1 and restart the server: with it on, a long dump can lose its snapshot." });
	const unrestorable = databases.find((one) => /[\r\n]/.test(one.name));
	if (unrestorable) throw refusal("postgres-name", `the name of database ${JSON.stringify(unrestorable.name)} holds a line break: pg_restore refuses such a dump`, { hint: "Rename the database (ALTER DATABASE ... RENAME TO), or leave it out with services.*.databases." });
	const prepared = databases.filter((one) => one.prepared > 0);
	if (prepared.length > 0) throw refusal("postgres-prepared", `${prepared.map((one) => `"${one.name}"`).join(", ")} of ${service.name} has prepared transactions: their rows are in no dump`, { hint: "Commit or roll back what pg_prepared_xacts lists, then run again." });
}
/** A dump is smaller than its database as a rule; the disk that fills up may be the one the database writes to. */
async function assertSpace(service, databases) {
	const needed = databases.reduce((sum, { size }) => sum + size, 0);
	const free = await freeBytes(service.host, service.backups);
	if (free >= needed) return;
	throw refusal("disk-space", `${service.backups} has ${free} bytes free, the databases of ${service.name} have ${needed} bytes`, { hint: "Make room, or lower backup.retention so that fewer backups are kept on the host." });
}

// src/service/postgres/collation-advice.ts
/** Names of databases whose collation's version is recorded and is not the one in use; asked of 15 and later, which record it. */
const staleSql = `select json_build_object('name', datname)
from pg_database
where datallowconn and datcollversion is not null
  and datcollversion is distinct from pg_database_collation_actual_version(oid)
order by datname;`;
/**
* One sentence for each database whose indexes were sorted by another version of the operating system's collation: an
* image of the same major with a newer base keeps them, and they then miss rows until they are rebuilt.
*/
async function collationAdvice(service, container) {
	const { version } = await readServer(service, container);
	if (version < 15e4) return [];
	const [rows = []] = await ask$2(service, container, staleSql);
	return rows.map((row) => {
		const name = identifier(JSON.parse(row).name);
		return `${service.name}: the collation of database ${name} has another version than its indexes were built with. Run in it, when the app can wait: REINDEX DATABASE ${name}; ALTER DATABASE ${name} REFRESH COLLATION VERSION;`;
	});
}

// src/service/postgres/count-databases.ts
/** An hour: exact counts read every page of every table. */
const limit$2 = 36e5;
/** Exact counts of these databases as they are now, with checksums of their content if asked for. */
async function countDatabases(service, container, databases, { checksums = false } = {}) {
	const answers = await ask$2(service, container, checksums ? checksumSql : countSql, {
		databases,
		limit: limit$2
	});
	return databases.map((name, at) => databaseContents(name, answers[at] ?? []));
}

// src/storage/stored-files.ts
/** Reads the lines of `store-verify.sh`. */
function parseVerified(text) {
	const files = /* @__PURE__ */ new Map();
	for (const line of text.split("\n").filter((one) => one !== "")) {
		const [, bytes = "", sha256 = "", file = ""] = /^(\d+|-) ([0-9a-f]{64}|-) (.+)$/.exec(line) ?? [];
		if (file === "") throw failure("host-answer", `the check of the stored files gave a line that cannot be read: ${line.slice(0, 120)}`);
		files.set(file, bytes === "-" ? void 0 : {
			bytes: Number(bytes),
			sha256
		});
	}
	return files;
}
/** Milliseconds: a minute and what reading takes at 20 MB/s. */
function readingTime(artifacts) {
	return 6e4 + artifacts.reduce((sum, { bytes }) => sum + bytes, 0) / 2e4;
}
/** How the files differ from what the manifest says, one line each. A file that was not looked at differs. */
function differences(artifacts, stored) {
	return artifacts.flatMap(({ file, bytes, sha256 }) => {
		const found = stored.get(file);
		if (found === void 0) return [`${file} is missing or cannot be read`];
		if (found.bytes !== bytes) return [`${file} has ${found.bytes} bytes instead of ${bytes}`];
		return found.sha256 === sha256 ? [] : [`${file} has the right length but other bytes (SHA-256 differs)`];
	});
}

// src/service/postgres/assert-unchanged.ts
/** Throws when one of these files is not the one that the manifest describes. */
async function assertUnchanged({ service, work }, artifacts) {
	const command = script("read", hashingScript("store-verify"), [service.backups, ...artifacts.map(({ file }) => file)]);
	const wrong = await work.check(`verify-${service.name}`, async () => {
		const { stdout } = await service.host.run(command, { timeout: readingTime(artifacts) });
		return differences(artifacts, parseVerified(stdout));
	}, []);
	if (wrong.length === 0) return;
	throw failure("backup-damaged", `the backup of ${service.name} is not what it was: ${wrong.join("; ")}`, { hint: "Nothing live was touched. Use this backup's copy in the other store, or another backup." });
}

// src/service/postgres/drop-sql.ts
/**
* SQL for psql that drops a database if it is there, ending its sessions. Subscriptions would forbid it: they are taken
* out first, without their slot, which the server at the other end may still need for the live one.
*/
function dropSql(name) {
	return `select exists(select from pg_database where datname = ${literal(name)}) as there \\gset
\\if :there
\\connect -reuse-previous=on ${psqlArgument(connectionTo(name))}
set session_replication_role = replica;
${subscriptionsSql("alter subscription %I disable")}
${subscriptionsSql("alter subscription %I set (slot_name = none)")}
${subscriptionsSql("drop subscription %I")}
\\connect -reuse-previous=on "dbname=template1"
drop database ${identifier(name)} with (force);
\\endif`;
}
function subscriptionsSql(statement) {
	return `select pg_catalog.format(${literal(statement)}, subname) from pg_catalog.pg_subscription
where subdbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) \\gexec`;
}
/** An argument of psql's `connect`, which reads it as an identifier: only double quotes mean anything in it. */
function psqlArgument(text) {
	return `"${text.replaceAll("\"", "\"\"")}"`;
}

// src/service/postgres/sql-statements.ts
const lexeme = /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|(?<meta>^\\[^\n]*)|(?<string>[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|\$(?<tag>[A-Za-z_0-9]*)\$[\s\S]*?\$\k<tag>\$)|(?<quoted>"(?:[^"]|"")*")|(?<word>[\p{L}_][\p{L}\p{N}_$]*|\d[\w.]*)|(?<end>;)|(?<sign>[\s\S])/gmuy;
/** Splits SQL that pg_dump or pg_dumpall wrote. Comments and psql's own commands (lines with a backslash) are left out. */
function sqlStatements(sql) {
	const statements = [];
	let tokens = [];
	let start = 0;
	for (const match of sql.matchAll(lexeme)) {
		const groups = match.groups ?? {};
		if (groups.sign === "\\") throw new SyntaxError(`SQL with a backslash outside of quotes at byte ${match.index}`);
		const token = groups.meta === void 0 ? tokenOf(groups) : void 0;
		if (tokens.length === 0) start = match.index;
		if (token) tokens.push(token);
		if (groups.end === void 0) continue;
		if (tokens.length > 0) statements.push({
			text: sql.slice(start, match.index),
			tokens
		});
		tokens = [];
	}
	if (tokens.length > 0) throw new SyntaxError(`SQL ends within a statement: ${sql.slice(start, start + 40)}`);
	return statements;
}
/** Does the statement begin with these keywords? */
function beginsWith({ tokens }, ...keywords) {
	return keywords.every((keyword, at) => isKeyword(tokens[at], keyword));
}
function isKeyword(token, keyword) {
	return token?.kind === "word" && token.text.toUpperCase() === keyword;
}
/** The name at this place, as the server has it; undefined when there is no name. */
function nameAt({ tokens }, at) {
	const token = tokens[at];
	return token?.kind === "word" || token?.kind === "quoted" ? token.text : void 0;
}
function tokenOf(groups) {
	if (groups.word !== void 0) return {
		text: groups.word,
		kind: "word"
	};
	if (groups.quoted !== void 0) return {
		text: groups.quoted.slice(1, -1).replaceAll("\"\"", "\""),
		kind: "quoted"
	};
	if (groups.string !== void 0) return {
		text: groups.string,
		kind: "string"
	};
	if (groups.sign !== void 0) return {
		text: groups.sign,
		kind: "sign"
	};
}

// src/service/postgres/database-statements.ts
/** Takes apart what `pg_restore --create` prints for a database's own entries. Throws when it is not about `database`. */
function databaseStatements(sql, database) {
	const statements = sqlStatements(sql);
	const creation = statements.find((one) => beginsWith(one, "CREATE", "DATABASE"));
	if (!creation || nameAt(creation, 2) !== database) throw failure("postgres-wrong-dump", `the file does not hold database "${database}"`, { hint: "The manifest and its files do not belong together: use another backup." });
	const options = optionsOf(creation);
	return {
		create: (name) => `CREATE DATABASE ${identifier(name)} ${options}`,
		properties: statements.filter((one) => isProperty(one, database)).map(({ text }) => text.trim())
	};
}
/** Everything from `WITH` on, as it was written. */
function optionsOf({ text, tokens }) {
	const name = tokens[2]?.kind === "quoted" ? /^CREATE\s+DATABASE\s+"(?:[^"]|"")*"/i : /^CREATE\s+DATABASE\s+[^\s"]+/i;
	return text.trim().replace(name, "").trim();
}
function isProperty(statement, database) {
	const { tokens } = statement;
	if (beginsWith(statement, "ALTER", "DATABASE")) return nameAt(statement, 2) === database;
	if (beginsWith(statement, "COMMENT", "ON", "DATABASE")) return nameAt(statement, 3) === database;
	if (![
		"GRANT",
		"REVOKE",
		"ALTER"
	].some((keyword) => beginsWith(statement, keyword))) return false;
	return tokens.some((token, at) => isKeyword(token, "DATABASE") && (isKeyword(tokens[at - 1], "ON") || isKeyword(tokens[at - 1], "IN")) && nameAt(statement, at + 1) === database);
}

// src/service/postgres/swap-sql.ts
/**
* The transaction that puts restored databases in the place of the live ones: all or none. Rights, comment and settings
* of a database belong to it, not to its name, so those of the backup are set after its renaming. The names are the
* journal: live and new before it, live and old after it, never without live.
*/
function swapSql(restored, comments, { run, at }) {
	const made = restored.filter((one) => !one.exists).map((one) => one.live);
	return [
		"begin",
		...restored.flatMap(({ live, name, old, exists, properties }) => [
			...exists ? moveAside(live, old, {
				comment: comments.get(live) ?? null,
				run,
				at,
				made
			}) : [],
			`alter database ${identifier(name)} rename to ${identifier(live)}`,
			`comment on database ${identifier(live)} is null`,
			...properties
		]),
		"commit",
		""
	].join(";\n");
}
/** The mark keeps it out of later backups, and says what it was called: a name can be cut at 63 bytes. */
function moveAside(live, old, kept) {
	const mark = JSON.stringify({
		"infra-actions": "replaced",
		name: live,
		...kept
	});
	return [`alter database ${identifier(live)} rename to ${identifier(old)}`, `comment on database ${identifier(old)} is ${literal(mark)}`];
}

// src/service/postgres/restore-steps.ts
/** Restores one file into a new database beside the live one, and counts what came in. */
async function restoreBeside(job, names, { expected, artifact, properties, place, trial = false }) {
	const { service, work, server } = job;
	const path = `${service.backups}/${artifact.file}`;
	const step = `${trial ? "try" : "restore"}-${service.name}-${names.step}`;
	const what = `${trial ? "making" : "restoring"} database "${names.live}" beside the live one`;
	const statements = await work.check(`read-${service.name}-${names.step}`, () => readStatements(job, names, properties), {
		create: (name) => `CREATE DATABASE ${identifier(name)}`,
		properties: []
	});
	const nonce = newNonce();
	const mark = JSON.stringify({
		"infra-actions": "restoring",
		name: names.live
	});
	const command = script("change", placedScript("postgres-restore"), [
		...place.wordsFor(expected.size),
		insideScript("restore"),
		path,
		artifact.bytes,
		artifact.sha256,
		insideScript("grown"),
		names.name,
		nonce,
		sessionName(work.id),
		storedAs(artifact.file),
		`${statements.create(names.name)};\ncomment on database ${identifier(names.name)} is ${literal(mark)};`,
		dropSql(names.name),
		connectionTo(names.name),
		expected.tables.some((one) => one.checksum !== void 0) ? checksumSql : countSql,
		...server.ownTablespaces > 0 ? [] : ["--no-tablespaces"],
		...trial ? ["--schema-only"] : []
	]);
	const { stdout } = await work.step(step, command, {
		timeout: Math.ceil(12e5 + expected.size / 500),
		assume: assumedReport(nonce, expected),
		progress: place.progress(nonce, expected.size)
	}).catch((error) => {
		throw named(what, "postgres-restore-failed", error);
	});
	const lines = markedLines(stdout, nonce);
	if (!cameToEnd(lines)) throw failure("postgres-restore-failed", `${what} broke off`);
	return {
		contents: databaseContents(names.live, valuesOf(lines, "fact")),
		properties: statements.properties,
		subscriptions: Number(valuesOf(lines, "subscriptions")[0] ?? 0)
	};
}
/** Drops what is left of restores that were killed. Databases without our mark are never dropped, but for empty ones of our name. */
async function dropLeftovers(job) {
	const { service, container, work, server } = job;
	const left = leftoversOf(server);
	if (left.length === 0) return;
	await work.step(`clean-${service.name}`, execInside("change", container, {
		name: "apply",
		args: [newNonce(), "dbname='template1'"]
	}), { input: left.map(dropSql).join("\n") }).catch((error) => {
		throw named(`dropping what an interrupted restore left (${left.join(", ")})`, "postgres-clean-failed", error);
	});
}
/** Names of what killed restores left. */
function leftoversOf({ databases }) {
	const empty = (databases.find((one) => one.name === "template0")?.size ?? 0) + 1048576;
	return databases.filter((one) => isLeftover(one, empty)).map((one) => one.name);
}
/** Drops the new databases of a restore that failed. What goes wrong here is added to `error`, whose message counts. */
async function dropBeside({ service, container, work }, databases, error) {
	const names = databases.map(({ name }) => besideName(name, "new", work.id));
	const command = execInside("change", container, {
		name: "apply",
		args: [newNonce(), "dbname='template1'"]
	});
	try {
		await work.step(`drop-${service.name}`, command, { input: names.map(dropSql).join("\n") });
	} catch (problem) {
		if (error instanceof Error && error.cause === void 0) error.cause = problem;
	}
}
/** Renames all of them at once; proven by looking at the names afterwards. */
async function swapAll(job, restored) {
	const { service, container, work, server } = job;
	const nonce = newNonce();
	const names = restored.flatMap((one) => [one.live, one.name]);
	const comments = new Map(server.databases.map((one) => [one.name, one.comment]));
	await work.step(`swap-${service.name}`, execInside("change", container, {
		name: "swap",
		args: [nonce, JSON.stringify(names)]
	}), { input: swapSql(restored, comments, {
		run: work.id,
		at: server.now
	}) }).catch((error) => {
		throw named(`swapping the restored databases of ${service.name} in`, "postgres-swap-failed", error);
	});
	const missing = await work.check(`swapped-${service.name}`, () => notSwapped(job, restored), []);
	if (missing.length > 0) throw failure("postgres-swap-failed", `after the swap ${service.name} lacks: ${missing.join(", ")}`);
}
async function notSwapped({ service, container }, restored) {
	const now = new Set((await readServer(service, container)).databases.map((one) => one.name));
	return restored.flatMap((one) => one.exists ? [one.live, one.old] : [one.live]).filter((name) => !now.has(name));
}
async function readStatements({ service, container }, { live }, { file }) {
	const nonce = newNonce();
	const args = [
		container.id,
		remoteScript("postgres-session"),
		nonce,
		`${service.backups}/${file}`,
		storedAs(file)
	];
	const { stdout } = await service.host.run(script("read", remoteScript("postgres-properties"), args)).catch((error) => {
		throw named(`reading the dump of database "${live}"`, "postgres-wrong-dump", error);
	});
	if (!cameToEnd(markedLines(stdout, nonce))) throw failure("postgres-wrong-dump", `reading the dump of database "${live}" broke off`);
	return databaseStatements(stdout.slice(0, stdout.lastIndexOf(nonce)), live);
}
function isLeftover(database, empty) {
	const mark = markOf(database);
	if (mark) return mark["infra-actions"] === "restoring" && isBesideName(database.name);
	return /__new_[0-9a-f]{8}$/.test(database.name) && database.comment === null && database.size <= empty;
}
function assumedReport(nonce, { size, largeObjects, tables }) {
	const counts = tables.map((table) => `${nonce} fact table 0 ${JSON.stringify(table)}`);
	return [
		`${nonce} fact size ${size}`,
		`${nonce} fact objects ${largeObjects}`,
		...counts,
		`${nonce} end 0`,
		""
	].join("\n");
}

// src/service/postgres/assert-replaceable.ts
/**
* Throws on what stops the renaming of a database, or would go on working in the replaced one as if it were live:
* prepared transactions, logical replication slots, running subscriptions.
*/
function assertReplaceable(server, replaced) {
	const names = new Set(replaced);
	const busy = server.databases.find((one) => names.has(one.name) && (one.slots.length > 0 || one.subscriptions.length > 0));
	if (busy) throw refusal("postgres-replication", `"${busy.name}" has ${[...busy.slots.map((one) => `the replication slot "${one}"`), ...busy.subscriptions.map((one) => `the running subscription "${one}"`)].join(" and ")}, which would stay with the replaced database`, { hint: "Drop the slot (pg_drop_replication_slot) or disable the subscription (ALTER SUBSCRIPTION ... DISABLE), then run again." });
	const prepared = server.databases.filter((one) => names.has(one.name) && one.prepared > 0);
	if (prepared.length > 0) throw refusal("postgres-prepared", `"${prepared[0]?.name}" has a prepared transaction, which stops its renaming`, { hint: "Commit or roll back what pg_prepared_xacts lists, then run again." });
}

// src/service/postgres/undo-restore.ts
/**
* Takes the last restore back in one transaction: every database that it replaced gets its name again, with the rights
* and settings it always had; what it had brought is kept aside in the same way, so that this can be taken back too.
* Throws `nothing-to-undo`, with what there is, when no restore left anything, or none of the works whose ids `only` names.
*/
async function undoRestore$2(service, container, work, only) {
	const server = await serverFor(work, {
		service,
		container,
		assumed: assumedServer
	});
	const last = lastReplaced$1(server, only);
	const aside = lost(server, last);
	assertReplaceable(server, [...aside, ...last.map((one) => one.name)]);
	if (last.length === 0 && !work.dryRun) throw refusal("nothing-to-undo", `${service.name} has no database that a restore replaced`, { hint: "Only what a restore kept can be brought back; restore a backup instead." });
	const run = freeRun(server, aside, work.id);
	const sql = undoSql(server, {
		last,
		aside,
		run
	});
	const names = JSON.stringify([...aside, ...last.map((one) => one.name)]);
	await work.step(`undo-${service.name}`, execInside("change", container, {
		name: "swap",
		args: [newNonce(), names]
	}), { input: sql }).catch((error) => {
		throw named(`undoing the restore of ${service.name}`, "postgres-undo-failed", error);
	});
	const back = last.map((one) => one.mark.name);
	const missing = await work.check(`undone-${service.name}`, () => notBack(service, container, last), []);
	if (missing.length > 0) throw failure("postgres-undo-failed", `after the undo ${service.name} lacks: ${missing.join(", ")}`);
	return `${back.map((name) => `"${name}"`).join(", ")} of ${service.name} as before the restore${at(last)}; what it had brought is in ${aside.map((name) => `"${besideName(name, "old", run)}"`).join(", ")}.`;
}
/** The work's id, by which what one undo put aside in several services belongs together, unless a restore of the very same work has the names. */
function freeRun({ databases }, aside, id) {
	const taken = new Set(databases.map(({ name }) => name));
	for (let count = 0;; count += 1) {
		const run = count === 0 ? id : `${id}-undo-${count}`;
		if (!aside.some((name) => taken.has(besideName(name, "old", run)))) return run;
	}
}
/** Those of the newest restore; several of one restore were replaced in one transaction and go back in one. */
function lastReplaced$1(server, only) {
	const kept = server.databases.flatMap((one) => {
		const mark = markOf(one);
		return mark?.run !== void 0 && (only?.includes(mark.run) ?? true) && mark["infra-actions"] === "replaced" ? [{
			name: one.name,
			mark
		}] : [];
	});
	const newest = kept.toSorted((a, b) => (b.mark.at ?? "").localeCompare(a.mark.at ?? ""))[0];
	return kept.filter((one) => one.mark.run === newest?.mark.run);
}
/** Live databases that have to make room: those of the names, and those that the restore made where nothing was. */
function lost(server, last) {
	const live = new Set(server.databases.map((one) => one.name));
	const names = last.flatMap(({ mark }) => [mark.name, ...mark.made]);
	return [...new Set(names)].filter((name) => live.has(name));
}
function undoSql(server, { last, aside, run }) {
	const comments = new Map(server.databases.map((one) => [one.name, one.comment]));
	const made = last.map((one) => one.mark.name).filter((name) => !aside.includes(name));
	return [
		"begin",
		...[...aside.flatMap((name) => moveAside(name, besideName(name, "old", run), {
			comment: comments.get(name) ?? null,
			run,
			at: server.now,
			made
		})), ...last.flatMap(({ name, mark }) => [`alter database ${identifier(name)} rename to ${identifier(mark.name)}`, `comment on database ${identifier(mark.name)} is ${mark.comment === null ? "null" : literal(mark.comment)}`])],
		"commit",
		""
	].join(";\n");
}
async function notBack(service, container, last) {
	const now = (await readServer(service, container)).databases;
	const good = new Set(now.filter((one) => markOf(one) === void 0).map((one) => one.name));
	return last.map((one) => one.mark.name).filter((name) => !good.has(name));
}
function at([first]) {
	return first?.mark.at === void 0 ? "" : ` of ${first.mark.at}`;
}

// src/service/postgres/restore-in-place.ts
/**
* Whether the live databases have to go before the backup's come, since the disk has no room for both. Refuses when that
* is not allowed, would not make room either, or when something else could go instead: data that restores have kept.
*/
function mustGiveWay(job, incoming, lack, allowed) {
	const beside = lack("restoring beside");
	if (beside === void 0) return false;
	const kept = sizeOf(job, (one) => markOf(one)?.["infra-actions"] === "replaced");
	if (kept > 0 && lack("restoring beside", kept) === void 0) throw noRoom(beside, "remove what restores have replaced and kept, by restore with mode: clean.");
	if (!allowed) throw noRoom(beside, "the live data is only replaced by data that was restored beside it. Where that cannot be, in-place: true lets the restore back the live data up, drop it and bring the backup in its place.");
	assertRoomInPlace(job, incoming, lack);
	if (job.server.ownTablespaces > 0) throw noRoom(beside, "in-place cannot tell what dropping would free where a server has tablespaces of its own.");
	return true;
}
/**
* Drops the live databases that the incoming ones replace, when all that can be known beforehand speaks for it: the files
* are whole and decode to their end, everything but their rows can be made on this server, and a proven backup holds
* each row of what goes, compared when no client finds it any more. Until `noWayBack` every failure leaves the live
* data as it was.
*/
async function giveWay(job, incoming, { inPlace, look }) {
	const { service, container, work } = job;
	await assertUnchanged(job, incoming.flatMap((one) => [one.artifact, one.properties]));
	for (const one of incoming) await tryOut(job, one);
	const going = incoming.map((one) => one.names).filter((one) => one.exists);
	const held = await inPlace.hold(async (backup) => (await notHeld(job, going, "live", backup)).length === 0);
	assertRoomInPlace(job, incoming, await look());
	await moveOut(job, going);
	try {
		if (held) await assertHeld(job, going, held);
		await inPlace.noWayBack();
	} catch (error) {
		await undoRestore$2(service, container, work, [work.id]).catch((problem) => {
			if (error instanceof Error) error.cause ??= problem;
		});
		throw error;
	}
	await dropToMakeRoom(job, going.map((one) => one.old));
}
function assertRoomInPlace(job, incoming, lack) {
	const still = lack("restoring in place", sizeOf(job, ({ name }) => incoming.some(({ names }) => names.live === name)));
	if (still !== void 0) throw noRoom(still, "also without the live data there is too little.");
}
/** Drops databases that make room for a restore. Can be repeated. */
async function dropToMakeRoom({ service, container, work }, databases, step = "make-room") {
	if (databases.length === 0) return;
	const nonce = newNonce();
	const args = [nonce, "dbname='template1' application_name='infra-actions-restore-drop'"];
	const { stdout } = await work.step(`${step}-${service.name}`, execInside("change", container, {
		name: "apply",
		args
	}), {
		input: databases.map(dropSql).join("\n"),
		assume: `${nonce} end 0\n`
	}).catch((error) => {
		throw named(`dropping ${databases.join(", ")} to make room`, "postgres-drop-failed", error);
	});
	if (!cameToEnd(markedLines(stdout, nonce))) throw failure("postgres-drop-failed", `dropping ${databases.join(", ")} to make room broke off`);
}
/** Reads the whole file, and makes everything that it holds but the rows: what this server lacks for it shows now. */
async function tryOut(job, { names, expected, artifact, properties, place }) {
	await job.work.check(`decode-${job.service.name}-${names.step}`, () => decode(job, artifact), void 0);
	try {
		if (tableNames((await restoreBeside(job, names, {
			expected,
			artifact: properties,
			properties,
			place,
			trial: true
		})).contents) !== tableNames(expected)) throw failure("restore-differs", `the file of database "${names.live}" does not hold the tables of the manifest`, { hint: "Nothing live was touched. Use another backup, or this one's copy in the other store." });
	} catch (error) {
		await dropBeside(job, [expected], error);
		throw error;
	}
	await dropToMakeRoom(job, [names.name], "drop-tried");
}
function tableNames({ tables }) {
	return JSON.stringify(tables.map(({ schema, name }) => JSON.stringify([schema, name])).sort());
}
async function decode({ service, container }, { file, bytes }) {
	const nonce = newNonce();
	const check = execInside("read", container, {
		name: "check",
		args: [nonce, storedAs(file)]
	});
	const { stdout } = await service.host.run(sh`${check} <${`${service.backups}/${file}`}`, { timeout: 6e5 + Math.ceil(bytes / 5e3) }).catch((error) => {
		throw named(`reading ${file} to its end`, "backup-damaged", error);
	});
	if (!cameToEnd(markedLines(stdout, nonce))) throw failure("backup-damaged", `reading ${file} to its end broke off`);
}
/** From here on no client finds them, and none can write to them. */
async function moveOut({ service, container, work, server }, going) {
	const comments = new Map(server.databases.map((one) => [one.name, one.comment]));
	const kept = {
		run: work.id,
		at: server.now,
		made: [],
		leaving: true
	};
	const sql = going.flatMap(({ live, old }) => moveAside(live, old, {
		...kept,
		comment: comments.get(live) ?? null
	}));
	const names = JSON.stringify(going.map(({ live }) => live));
	await work.step(`move-out-${service.name}`, execInside("change", container, {
		name: "swap",
		args: [newNonce(), names]
	}), { input: [
		"begin",
		...sql,
		"commit",
		""
	].join(";\n") }).catch((error) => {
		throw named(`moving the live databases of ${service.name} out of the way`, "postgres-swap-failed", error);
	});
}
async function assertHeld(job, going, held) {
	const missing = await job.work.check(`held-${job.service.name}`, () => notHeld(job, going, "old", held), []);
	if (missing.length === 0) return;
	throw refusal("data-changed", `the backup does not hold what is in ${job.service.name} now: ${missing.join("; ")}`, { hint: "Something other than the app has written. Stop it, then run this again: the live data is as it was." });
}
/** Where the databases, by the names they have now, are not row by row what a backup holds; empty: it holds them all. */
async function notHeld({ service, container }, going, now, { contents }) {
	const held = contents.kind === "postgres" ? contents.databases : [];
	const expected = going.flatMap(({ live }) => held.filter((one) => one.name === live));
	const unread = expected.filter(({ tables }) => tables.some((table) => table.checksum === void 0));
	if (expected.length < going.length || unread.length > 0) return ["not every database with the checksums of its rows"];
	const names = going.map((one) => one[now]);
	const actual = (await countDatabases(service, container, names, { checksums: true })).map((one, at) => ({
		...one,
		name: going[at]?.live ?? one.name
	}));
	return [...compareDatabases(expected, actual).map(describeDifference), ...differentContent(expected, actual)].slice(0, 10);
}
function sizeOf({ server }, counts) {
	return server.databases.filter(counts).reduce((sum, { size }) => sum + size, 0);
}

// src/service/postgres/cut-restores.ts
/**
* Names are the journal: a restore that was swapped in left the replaced databases with its mark, one that was not left new
* ones beside the live. One in place leaves none; its databases have their names again once they are swapped in, never before.
*/
const cutRestores$1 = {
	async isIn(service, container, cut) {
		await awaitQuiet$1(service, container);
		return isIn(service, container, cut);
	},
	async undo(service, container, cut, work) {
		await awaitQuiet$1(service, container);
		const marked = await markedBy(service, container, cut);
		if (cut.dropped) await dropToMakeRoom({
			service,
			container,
			work
		}, marked.filter((one) => one.mark.leaving).map((one) => one.name));
		else if (marked.length > 0) await undoRestore$2(service, container, work, cut.ids);
		await dropLeftovers(await jobOf(service, container, work));
	}
};
/** One transaction: all of it or nothing. */
const cutUndos$1 = { async look(service, container, { name }) {
	await awaitQuiet$1(service, container);
	const { databases } = await readServer(service, container);
	return databases.some((one) => one.name === name) ? "untouched" : "taken";
} };
async function isIn(service, container, cut) {
	if (cut.dropped) return isInPlace(service, container, cut);
	return (await markedBy(service, container, cut)).some((one) => !one.mark.leaving);
}
/** Somebody may have made a database of that name meanwhile: only what the backup holds is what was restored. */
async function isInPlace(service, container, { backup }) {
	if (backup?.contents.kind !== "postgres") return false;
	const { databases: expected } = backup.contents;
	const live = (await readServer(service, container)).databases;
	if (!expected.every(({ name }) => live.some((one) => one.name === name))) return false;
	const names = expected.map(({ name }) => name);
	return compareDatabases(expected, await countDatabases(service, container, names)).length === 0;
}
/** What the works that took part moved aside. */
async function markedBy(service, container, { ids }) {
	const { databases } = await readServer(service, container);
	return databases.flatMap((one) => {
		const mark = markOf(one);
		return mark?.run !== void 0 && ids.includes(mark.run) && mark["infra-actions"] === "replaced" ? [{
			name: one.name,
			mark
		}] : [];
	});
}
async function jobOf(service, container, work) {
	return {
		service,
		container,
		work,
		server: await readServer(service, container)
	};
}
/** Milliseconds: a swap tries three times, and waits five seconds for sessions each time. */
const limit$1 = 6e4;
/**
* A script inside the container or beside it outlives the death of what started it: a restore until it sees that its input
* has ended, a swap to its end. Only then do the names tell how far it came.
*/
async function awaitQuiet$1({ host, name }, { id }) {
	for (const until = Date.now() + limit$1;;) {
		const { stdout } = await host.run(sh`docker ps --quiet --filter ${besideLabel(id)} && docker exec ${id} sh -c ${atWork}`);
		if (stdout.trim() === "") return;
		if (Date.now() > until) throw failure("restore-alive", `a restore that was cut off still works at ${name}`, { hint: "Look at pg_stat_activity for sessions named infra-actions-..., then run this again." });
		await (0, node_timers_promises.setTimeout)(300);
	}
}
/** Brackets keep the pattern from finding itself. */
const atWork = `for one in /proc/[0-9]*/cmdline; do
  if tr '\\0' ' ' <"$one" 2>/dev/null | grep -q -e 'infra-actions-[s]wap' -e 'infra-actions-[r]estore'; then echo yes; exit; fi
done`;

// src/service/postgres/fingerprint-server.ts
const sql = `select json_build_object('identifier', (select system_identifier::text from pg_control_system()),
  'checkpoint', checkpoint_lsn::text, 'timeline', timeline_id::text) from pg_control_checkpoint();`;
const answerSchema = require_libraries.object({
	identifier: require_libraries.string$1(),
	checkpoint: require_libraries.string$1(),
	timeline: require_libraries.string$1()
});
/**
* The cluster's identity and its latest checkpoint. A fresh initdb has another identifier, an older copy of the directory
* an earlier checkpoint; right after a clean stop and start it is the very one of the stop, whoever writes since then.
*/
async function fingerprintServer$1(service, container) {
	await readServer(service, container);
	const [rows = []] = await ask$2(service, container, sql);
	const { identifier, checkpoint, timeline } = answerSchema.parse(JSON.parse(rows.join("\n") || "null"));
	return clusterFingerprint(service.name, {
		identifier,
		checkpoint,
		timeline
	});
}
/** The same facts from `pg_controldata` of a stopped cluster. Throws when one of them is not there. */
function stoppedFingerprint(service, controldata) {
	const field = (name) => {
		const value = new RegExp(`^${name}: *(.+)$`, "m").exec(controldata)?.[1];
		if (value !== void 0) return value.trim();
		throw failure("postgres-controldata", `pg_controldata of ${service} does not tell its ${name}`);
	};
	return clusterFingerprint(service, {
		identifier: field("Database system identifier"),
		checkpoint: field("Latest checkpoint location"),
		timeline: field("Latest checkpoint's TimeLineID")
	});
}
/** Bytes of a log position such as `16/B374D848`: two hexadecimal halves of 32 bits. */
function lsnBytes(lsn) {
	const [high, low] = lsn.split("/").map((half) => Number.parseInt(half, 16));
	const bytes = (high ?? NaN) * 2 ** 32 + (low ?? NaN);
	if (Number.isSafeInteger(bytes)) return bytes;
	throw failure("postgres-lsn", `${JSON.stringify(lsn)} is no position in the write-ahead log`);
}
function clusterFingerprint(service, { identifier, checkpoint, timeline }) {
	return {
		service,
		same: {
			"system-identifier": identifier,
			timeline
		},
		atLeast: { checkpoint: lsnBytes(checkpoint) }
	};
}

// src/service/postgres/image-facts.ts
/** Asks the image of a definition, which is on the host, in a throw-away container without network. */
async function readImage(service, { image, environment }) {
	const command = sh`docker run --rm --pull never --network none --label infra-actions.scratch=1 --entrypoint sh \
  ${image} -c ${remoteScript("postgres-image-inside")}`;
	const { stdout } = await service.host.run(command);
	const facts = parseImage(stdout);
	if (!facts) throw failure("postgres-image", `the image ${image} of ${service.name} does not tell its version`);
	return {
		...facts,
		directory: environment.PGDATA ?? facts.directory
	};
}
/** Reads lines `version postgres (PostgreSQL) 17.11 ...`, `directory PATH`, `extension NAME`, and the end's mark. */
function parseImage(text) {
	const lines = text.split("\n");
	const [version = ""] = valuesOf(lines, "version");
	const [directory] = valuesOf(lines, "directory");
	const major = Number(/PostgreSQL\) (\d+)/.exec(version)?.[1]);
	if (!Number.isInteger(major) || directory === void 0 || !lines.includes("end 0")) return void 0;
	return {
		major,
		directory,
		extensions: valuesOf(lines, "extension")
	};
}
/** Where a container keeps its data: what was set for it, else its image's own place. Without one, of the definition. */
async function dataDirectory(service, container, definition) {
	if (!container) return await inspectImage(service.host, definition.image) && (await readImage(service, definition)).directory;
	const { stdout } = await service.host.run(sh`env=$(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' ${container.id}) || exit
printf '%s\n' "$env" | sed -n 's/^PGDATA=//p'`);
	return stdout.trimEnd() || (await readImage(service, {
		...definition,
		image: container.imageId,
		environment: {}
	})).directory;
}

// src/service/postgres/probe-server.ts
/** Share of max_connections in use from which the server is reported: some are reserved, and a deploy needs its own. */
const connectionLimit = .9;
const factsSchema = require_libraries.object({
	connections: require_libraries.number(),
	maxConnections: require_libraries.number(),
	version: require_libraries.string$1(),
	standby: require_libraries.boolean(),
	sizes: require_libraries.record(require_libraries.string$1(), require_libraries.number())
});
/** pg_isready, a query, connections and sizes, in one round trip; every question has `services.<name>.timeout` as its limit. */
async function probeServer$1(service, container) {
	if (container.state !== "running") return {
		state: "unhealthy",
		checks: [{
			name: "container",
			state: "failed",
			detail: `${container.state}, exit code ${container.exitCode}${container.oomKilled ? ", out of memory" : ""}`
		}],
		details: {}
	};
	const nonce = newNonce();
	const limit = Math.max(1, Math.ceil(service.config.timeout / 1e3));
	const command = execInside("read", container, {
		name: "probe",
		args: [
			nonce,
			limit,
			probeSql
		]
	});
	try {
		const { stdout } = await service.host.run(command, { timeout: 3 * (limit + 2) * 1e3 });
		return healthOf(markedLines(stdout, nonce));
	} catch (error) {
		if (error instanceof CommandError || error instanceof HostError && error.fault === "timeout") return {
			state: "unhealthy",
			checks: [{
				name: "exec",
				state: "failed",
				detail: error.message
			}],
			details: {}
		};
		throw error;
	}
}
/** Health from the lines `ready CODE TEXT`, `select CODE TEXT`, `facts CODE {json}`. */
function healthOf(lines) {
	if (!cameToEnd(lines)) return {
		state: "unknown",
		checks: [{
			name: "probe",
			state: "unknown",
			detail: "it broke off"
		}],
		details: {}
	};
	const ready = answer(lines, "ready");
	const select = answer(lines, "select");
	const facts = answer(lines, "facts");
	const checks = [ready.code === 0 ? {
		name: "pg_isready",
		state: "ok",
		detail: "accepts connections"
	} : {
		name: "pg_isready",
		state: "failed",
		detail: notReady(ready.code)
	}, select.code === 0 && select.text === "1" ? {
		name: "select",
		state: "ok",
		detail: "SELECT 1 gives 1"
	} : {
		name: "select",
		state: "failed",
		detail: failedWith(select)
	}];
	if (checks.some((check) => check.state === "failed")) return {
		state: "unhealthy",
		checks,
		details: {}
	};
	const parsed = facts.code === 0 ? factsSchema.safeParse(JSON.parse(facts.text)) : void 0;
	if (!parsed?.success) {
		const detail = facts.code === 0 ? "the answer makes no sense" : failedWith(facts);
		return {
			state: "degraded",
			checks: [...checks, {
				name: "connections",
				state: "unknown",
				detail
			}],
			details: {}
		};
	}
	return withFacts(checks, parsed.data);
}
function withFacts(checks, facts) {
	const { connections, maxConnections, sizes, version } = facts;
	const full = connections >= maxConnections * connectionLimit;
	const size = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
	return {
		state: full ? "degraded" : "healthy",
		checks: [
			...checks,
			{
				name: "connections",
				state: full ? "warning" : "ok",
				detail: `${connections} of ${maxConnections}`
			},
			{
				name: "size",
				state: "ok",
				detail: `${size} bytes in ${Object.keys(sizes).length} databases`
			}
		],
		details: {
			version,
			connections,
			"max-connections": maxConnections,
			"database-size-bytes": size
		}
	};
}
function answer(lines, name) {
	const found = new RegExp(`^${name} (\\d+) ?(.*)$`);
	const parts = lines.map((line) => found.exec(line)).find((match) => match !== null);
	return parts ? {
		code: Number(parts[1]),
		text: (parts[2] ?? "").trim()
	} : {
		code: -1,
		text: "no answer"
	};
}
/** Exit codes of pg_isready (its manual), and of `timeout`. */
function notReady(code) {
	if (code === 1) return "the server rejects connections: it starts, stops or recovers";
	if (code === 2) return "the server does not respond";
	return isTimeout(code) ? "pg_isready hangs" : `pg_isready ended with ${code}`;
}
function failedWith({ code, text }) {
	return isTimeout(code) ? "no answer within the limit" : text.slice(0, 300) || `exit code ${code}`;
}
function isTimeout(code) {
	return code === 124 || code === 137 || code === 143;
}

// src/service/postgres/replaced-databases.ts
/** The databases that restores replaced and kept, oldest first; one that does not say when comes last. */
async function replacedDatabases(service, container) {
	const { databases } = await readServer(service, container);
	return databases.flatMap((one) => {
		const mark = markOf(one);
		if (mark?.["infra-actions"] !== "replaced") return [];
		return [{
			name: one.name,
			was: mark.name,
			at: mark.at,
			run: mark.run,
			bytes: one.size
		}];
	}).toSorted((a, b) => (a.at ?? "9").localeCompare(b.at ?? "9"));
}
/** Drops such databases. Refuses a name that is not, or not any more, of a replaced database, and one that holds a replication slot. */
async function removeReplaced(service, container, { names, work }) {
	if (names.length === 0) return;
	const { databases } = await readServer(service, container);
	for (const name of names) {
		const found = databases.find((one) => one.name === name);
		if (!found || markOf(found)?.["infra-actions"] !== "replaced") throw refusal("not-replaced", `"${name}" of ${service.name} is not a database that a restore replaced`);
		if (found.slots.length > 0) throw refusal("postgres-replication", `"${name}" holds the replication slot "${found.slots[0]}"`, { hint: "Dropping the database would drop the slot: drop it yourself first if nobody needs it." });
	}
	await work.step(`remove-replaced-${service.name}`, execInside("change", container, {
		name: "apply",
		args: [newNonce(), "dbname='template1'"]
	}), { input: names.map(dropSql).join("\n") }).catch((error) => {
		throw named(`dropping replaced databases of ${service.name}`, "postgres-clean-failed", error);
	});
	const left = await work.check(`removed-replaced-${service.name}`, async () => (await readServer(service, container)).databases.map((one) => one.name), []);
	const there = names.filter((name) => left.includes(name));
	if (there.length > 0) throw failure("postgres-clean-failed", `still there after dropping: ${there.join(", ")}`);
}

// src/core/copied-rows.ts
/** Compares the rows that a foreign script copies with those that came in, whether it names the schemas or not. */
function compareCopied(copied, counted) {
	const wrong = [];
	const unknown = [];
	for (const [table, parts] of Map.groupBy(copied, (one) => one.table)) {
		const expected = parts.reduce((sum, { rows }) => sum + rows, 0);
		const [found, second] = counted.filter((one) => isNamed(one, namesIn(table)));
		if (!found || second) unknown.push(table);
		else if (found.rows !== expected) wrong.push(`${table}: ${found.rows} rows instead of ${expected}`);
	}
	return {
		wrong,
		unknown
	};
}
function isNamed({ schema, name }, names) {
	const [last, first] = names.toReversed();
	return name === last && (first === void 0 || schema === first);
}
/** `schema.table`, as the server reads it: what is not quoted is in lower case. */
function namesIn(table) {
	return [...table.matchAll(/"((?:[^"]|"")*)"|[^".\s]+/g)].map(([text, quoted]) => quoted?.replaceAll("\"\"", "\"") ?? text.toLowerCase());
}

// src/service/postgres/foreign-checks.ts
/** Why a foreign dump is not restored, one line each; empty when it can be. `major` and `available` are the server's. */
function foreignObjections(scan, { major, available }) {
	const from = Number.parseInt(scan.serverVersion ?? "0", 10);
	const missing = scan.extensions.filter((one) => !available.includes(one));
	return [
		...scan.problems.slice(0, 10).map((one) => `${reasons[one.code]}${one.line > 0 ? ` (line ${one.line}: ${one.what})` : ""}`),
		...scan.serverVersion !== void 0 && !scan.complete ? ["it is cut off: pg_dump's last line is missing"] : [],
		...from > major ? [`it is of PostgreSQL ${from}, the server is ${major}`] : [],
		...missing.length > 0 ? [`the server does not have the extensions ${missing.join(", ")}`] : []
	];
}
const reasons = {
	"meta-command": "it holds a command of psql, which can run programs",
	program: "it runs a program with COPY",
	"server-file": "it reads or writes a file of the server with COPY",
	superuser: "it does what only a superuser may",
	restrict: "it holds a forged \\restrict, which can run programs",
	setting: "it changes how psql or the server reads what follows",
	copy: "it holds a COPY in another form than pg_dump writes",
	unclear: "it can be read in more than one way",
	"cut-off": "it ends in the middle of something"
};

// src/core/dump-dangers.ts
const dangers = [
	[/^copy\b[\s\S]*\b(from|to)\s+program\b/i, "program"],
	[/^copy\b[\s\S]*\b(from|to)\s+e?'/i, "server-file"],
	[/^alter\s+system\b/i, "superuser"],
	[/^load\s+e?'/i, "superuser"],
	[/^(create|alter)\s+(role|user)\b[\s\S]*\bsuperuser\b/i, "superuser"]
];
/** What is wrong with a statement by its own words. NOSUPERUSER is one word. */
function dangerOf(piece) {
	if (piece.unclear) return "unclear";
	if (changesReading(piece)) return "setting";
	const bare = withoutNames(piece.text);
	return dangers.find(([pattern]) => pattern.test(bare))?.[1];
}
/** The table of a `COPY ... FROM stdin` as pg_dump writes it, on one line without options; undefined for any other. */
function copiedTable(text) {
	return copyForm.exec(text)?.[1];
}
const name$1 = String.raw`(?:"(?:[^"]|"")+"|[^\][\\"'(),;.:/\s-]+)`;
const copyForm = new RegExp(String.raw`^copy (${name$1}(?:\.${name$1})?) *(?:\((?:${name$1}(?:, ?${name$1})*)?\))? *from stdin$`, "i");
/** Does a COPY take rows that follow in the script? */
function takesRows(text) {
	return /^copy\b[\s\S]*\bfrom\s+stdin\b/i.test(withoutNames(text));
}
function withoutNames(text) {
	return text.replaceAll(/"[^"]*"/g, "\"\"");
}
const readingSetting = /^(standard_conforming_strings|client_encoding)$/i;
/** Would what follows be read in another way: backslashes within constants, or bytes that are no character of their own? */
function changesReading({ text, strings }) {
	const plain = text.replaceAll("\"", "");
	if (/\bset\s+(?:session\s+|local\s+)?u&/i.test(plain)) return true;
	if (/\bupdate\b[\s\S]*\bpg_settings\b/i.test(plain)) return true;
	const value = (found) => (found === "''" ? strings[0] : found) ?? "";
	if (/\bstandard_conforming_strings\b/i.test(plain)) {
		const set = /^set\s+(?:session\s+|local\s+)?standard_conforming_strings\s*(?:=|to)\s*(''|\w+)$/i.exec(plain);
		return !/^(on|true|yes|1)$/i.test(value(set?.[1]));
	}
	if (/\bset\s+(?:session\s+|local\s+)?client_encoding\b|^set\s+(?:session\s+|local\s+)?names\b/i.test(plain)) {
		const set = /^set\s+(?:session\s+|local\s+)?(?:client_encoding\s*(?:=|to)\s*|names\s+)(''|\w+)$/i.exec(plain);
		return !safeEncodings.test(value(set?.[1]).replaceAll(/[^a-z0-9]/gi, ""));
	}
	return [...plain.matchAll(/\bset_config\b/gi)].some((found) => {
		const behind = plain.slice(found.index + found[0].length);
		const before = plain.slice(0, found.index).split("''").length - 1;
		return !/^\s*\(\s*'',/.test(behind.replace(/''\s+,/, "'',")) || readingSetting.test(strings[before] ?? "client_encoding");
	});
}
/** Encodings of a server: no byte of a longer character looks like ASCII in them (manual 24.3.1). */
const safeEncodings = /^(utf8|unicode|sqlascii|latin([1-9]|10)|iso8859\d{1,2}|(win|windows)(125[0-8]|866|874)|koi8[ru]?|euc(jp|cn|kr|tw|jis2004)|muleinternal|default)$/i;

// src/core/dump-bytes.ts
const dollar = 36;
/** White space between words. */
function isSpace(byte) {
	return byte === 32 || byte >= 9 && byte <= 13;
}
/** May this byte stand in a name? */
function isWord(byte) {
	return byte >= 48 && byte <= 57 || isTag(byte, 1) || byte === 36;
}
/** May this byte stand in a tag, `$tag$`, at this place? Its first one may not be a digit. */
function isTag(byte, place) {
	if (byte >= 48 && byte <= 57) return place > 1;
	return byte >= 65 && byte <= 90 || byte >= 97 && byte <= 122 || byte === 95 || byte >= 128;
}

// src/core/dump-words.ts
function noWords() {
	return {
		kind: "none",
		text: "",
		mixed: false,
		heads: "",
		depth: 0
	};
}
/** Takes a byte that may stand in a word; false when it is unclear which word it belongs to. */
function followWord(words, byte) {
	if (words.kind === "none") {
		if (byte === 36) return true;
		words.kind = isTag(byte, 1) ? "name" : "number";
	}
	if (words.kind === "number" && isTag(byte, 1)) words.mixed = true;
	if (words.text.length < 10) words.text += String.fromCharCode(byte).toLowerCase();
	return words.kind !== "number" || byte !== 36;
}
/** Ends the word, if we are in one; counts it as psql does (psqlscan.l, `identifier`). */
function endWord(words, parentheses) {
	if (words.kind === "none") return void 0;
	const ended = {
		kind: words.kind,
		text: words.text,
		mixed: words.mixed
	};
	words.kind = "none";
	words.text = "";
	words.mixed = false;
	if (ended.kind === "name") countWord(words, ended.text, parentheses);
	return ended;
}
const begins = /* @__PURE__ */ new Set([
	"create",
	"or",
	"replace",
	"function",
	"procedure"
]);
function countWord(words, text, parentheses) {
	if (words.heads.length < 4) words.heads += begins.has(text) ? text.charAt(0) : ".";
	if (!/^c(or)?[fp]/.test(words.heads) || parentheses > 0) return;
	if (text === "begin" || text === "case" && words.depth > 0) words.depth += 1;
	else if (text === "end" && words.depth > 0) words.depth -= 1;
}

// src/core/dump-reading.ts
/** A statement's text is kept so far; what matters stands at its beginning, but for a COPY of a thousand columns. */
const [textLimit, copyLimit] = [4096, 131072];
/** So many string constants are kept, and so many bytes of each as `stringLimit` says. */
const stringsLimit = 16;
const stringLimit = 64;
function newReading(emit) {
	return {
		emit,
		state: "top",
		offset: 0,
		line: 1,
		start: -1,
		startLine: 1,
		text: [],
		inner: [],
		tag: [],
		depth: 0,
		parentheses: 0,
		before: 10,
		count: 0,
		words: noWords(),
		strings: [],
		closed: void 0,
		rowsFollow: false,
		backslashEscapes: false,
		within: false,
		unclear: false
	};
}
/** Hands the piece out that ends here, and begins anew. */
function give(reading, kind, to) {
	const text = Buffer.from(reading.text).toString("utf8").trim();
	const strings = reading.strings.map((one) => Buffer.from(one).toString("utf8"));
	const { emit, start: from, startLine: line, count, unclear } = reading;
	Object.assign(reading, {
		state: "top",
		start: -1,
		text: [],
		strings: [],
		count: 0,
		unclear: false,
		closed: void 0
	});
	reading.words = noWords();
	emit({
		kind,
		from,
		to,
		line,
		lastLine: reading.line,
		text,
		strings,
		unclear,
		count
	});
	if (kind !== "statement") return;
	const setting = /^set\s+standard_conforming_strings\s*(?:=|to)\s*(\w+)/i.exec(text)?.[1];
	if (setting !== void 0) reading.backslashEscapes = setting.toLowerCase() === "off";
	if (takesRows(text)) reading.rowsFollow = true;
}
/** Keeps a byte of the piece's text. */
function keep({ text }, byte) {
	if (text.length < textLimit || text.length < copyLimit && isCopy(text)) text.push(byte);
}
function isCopy(text) {
	return /^copy$/i.test(String.fromCharCode(...text.slice(0, 4)));
}
/** Keeps a byte of its last string constant. */
function keepString({ strings }, byte) {
	const last = strings.at(-1);
	if (last && last.length < stringLimit && strings.length < 16) last.push(byte);
}

// src/core/dump-lexer.ts
const carriageReturn = 13;
const byteOrderMark = [
	239,
	187,
	191
];
/**
* Takes an SQL script apart into statements, psql commands, comments and rows of COPY, a chunk at a time, in constant
* memory. PostgreSQL's lexical structure (manual 4.1) and psql's: a backslash outside of quotes is a command wherever it
* stands; rows end with a line that is `\.` and nothing else.
*/
function dumpLexer(emit) {
	const reading = newReading(emit);
	return {
		write(chunk) {
			for (let at = 0; at < chunk.length; at++) {
				if (reading.state === "rows" && reading.inner.length === 4) {
					const found = chunk.indexOf(10, at);
					const end = found < 0 ? chunk.length : found;
					reading.offset += end - at;
					at = end;
					if (at === chunk.length) break;
				}
				step$1(reading, chunk[at]);
			}
		},
		end() {
			if (reading.state === "line") leaveComment(reading);
			if (reading.state === "meta") give(reading, "meta", reading.offset);
			return reading.state === "top" && reading.start < 0 && !reading.rowsFollow;
		}
	};
}
function step$1(reading, byte) {
	const seen = byte === byteOrderMark[reading.offset] || read$3(reading, byte) ? 0 : byte;
	if (byte === 10) reading.line += 1;
	reading.before = seen;
	reading.offset += 1;
}
/** True when the byte is used up: it cannot be the first of two that belong together. */
function read$3(reading, byte) {
	switch (reading.state) {
		case "top": return readTop(reading, byte);
		case "string":
		case "escapes": return readString$1(reading, byte);
		case "escaped":
			reading.state = "escapes";
			keepString(reading, byte);
			return true;
		case "quoted":
			keep(reading, byte);
			if (byte === 34) reading.state = "top";
			return false;
		case "dollar": return readDollar(reading, byte);
		case "line":
			if (byte === 10 || byte === carriageReturn) leaveComment(reading);
			else if (!reading.within) keep(reading, byte);
			return false;
		case "block": return readBlock(reading, byte);
		case "meta":
			if (byte === 10) give(reading, "meta", reading.offset + 1);
			else keep(reading, byte);
			return false;
		case "rows": return readRow(reading, byte);
	}
}
function readTop(reading, byte) {
	if (byte === 45 && reading.before === 45) return enterComment(reading, "line");
	if (byte === 42 && reading.before === 47) return enterComment(reading, "block");
	if (byte === 10 && reading.rowsFollow && reading.start < 0) {
		reading.rowsFollow = false;
		reading.state = "rows";
		reading.inner = [];
		return false;
	}
	const word = isWord(byte) ? void 0 : endWord(reading.words, reading.parentheses);
	if (byte === 59 && reading.parentheses === 0 && reading.words.depth === 0) {
		reading.inner = [];
		if (reading.start >= 0) give(reading, "statement", reading.offset + 1);
		return false;
	}
	if (reading.start < 0 && isSpace(byte)) return false;
	if (reading.start < 0) {
		reading.start = reading.offset;
		reading.startLine = reading.line;
	}
	if (followTag(reading, byte)) return true;
	if (isWord(byte) && !followWord(reading.words, byte)) reading.unclear = true;
	if (byte === 39) return openString(reading, word);
	if (!isSpace(byte) && byte !== 45 && byte !== 47) reading.closed = void 0;
	keep(reading, byte);
	if (byte === 40) reading.parentheses += 1;
	else if (byte === 41) reading.parentheses = Math.max(0, reading.parentheses - 1);
	else if (byte === 34) reading.state = "quoted";
	else if (byte === 92) reading.state = "meta";
	return false;
}
/** Begins a string constant, or goes on with the last one behind a doubled quote. */
function openString(reading, word) {
	if (reading.before === 39 && reading.closed !== void 0) {
		reading.state = reading.closed;
		if (reading.text.at(-1) === 39) reading.text.pop();
		keepString(reading, 39);
		return false;
	}
	const marked = word?.kind === "name" && word.text === "e";
	if (reading.closed === "escapes" || word?.mixed) reading.unclear = true;
	reading.state = marked || reading.backslashEscapes ? "escapes" : "string";
	keep(reading, 39);
	if (reading.strings.length < 16) reading.strings.push([]);
	return false;
}
/** Follows `$tag$`; true when it is complete and a dollar quote begins. */
function followTag(reading, byte) {
	if (reading.inner.length > 0 && byte === 36) {
		reading.tag = [...reading.inner, 36];
		reading.inner = [];
		reading.state = "dollar";
		reading.closed = void 0;
		Object.assign(reading.words, {
			kind: "none",
			text: "",
			mixed: false
		});
		return true;
	}
	if (reading.inner.length > 0) reading.inner = isTag(byte, reading.inner.length) ? [...reading.inner, byte] : [];
	else if (byte === 36 && reading.words.kind === "none") reading.inner = [36];
	return false;
}
function readString$1(reading, byte) {
	if (byte !== 39) keepString(reading, byte);
	if (byte === 92 && reading.state === "escapes") reading.state = "escaped";
	if (byte !== 39) return false;
	reading.closed = reading.state === "escapes" ? "escapes" : "string";
	reading.state = "top";
	keep(reading, 39);
	return false;
}
function readDollar(reading, byte) {
	const { inner, tag } = reading;
	inner.push(byte);
	if (inner.length > tag.length) inner.shift();
	if (byte !== 36 || inner.length !== tag.length || !inner.every((one, at) => one === tag[at])) return false;
	reading.state = "top";
	reading.inner = [];
	return true;
}
function enterComment(reading, kind) {
	reading.within = reading.text.length > 1;
	reading.text.pop();
	reading.inner = [];
	reading.depth = 1;
	reading.state = kind;
	return true;
}
function readBlock(reading, byte) {
	const opens = byte === 42 && reading.before === 47;
	const closes = byte === 47 && reading.before === 42;
	reading.depth += Number(opens) - Number(closes);
	if (reading.depth === 0) leaveComment(reading);
	return opens || closes;
}
function leaveComment(reading) {
	reading.state = "top";
	if (reading.within) keep(reading, 32);
	else give(reading, "comment", reading.offset);
}
function readRow(reading, byte) {
	if (reading.start < 0) {
		reading.start = reading.offset;
		reading.startLine = reading.line;
	}
	if (byte !== 10) {
		if (reading.inner.length < 4) reading.inner.push(byte);
		return false;
	}
	const [first, second, third] = reading.inner;
	if (first === 92 && second === 46 && (third === void 0 || third === 13) && reading.inner.length <= 3) give(reading, "rows", reading.offset + 1);
	else reading.count += 1;
	reading.inner = [];
	return false;
}

// src/core/dump-scan.ts
/**
* Reads an SQL dump, a chunk at a time and in constant memory, for what a restore has to know before it begins. It is
* there for good messages, not for safety: SQL can hide anything from a scanner, so the script itself runs as a role
* without rights over the server.
*/
function dumpScanner() {
	const found = {
		serverVersion: void 0,
		dumpVersion: void 0,
		cluster: false,
		complete: false,
		parts: [],
		needless: [],
		privileged: [],
		copies: [],
		ends: [],
		lines: 0,
		roles: [],
		extensions: [],
		databases: [],
		copied: [],
		problems: []
	};
	const state = {
		table: "",
		lastEnd: 0
	};
	let [before, piece] = [];
	const next = (after) => {
		if (piece) readPiece(found, piece, {
			before,
			after,
			state
		});
		before = piece;
		piece = after;
	};
	const lexer = dumpLexer(next);
	let zero = false;
	return {
		write(chunk) {
			zero ||= chunk.includes(0);
			lexer.write(chunk);
		},
		end() {
			const whole = lexer.end();
			next(void 0);
			if (zero) found.problems.push({
				code: "unclear",
				line: 0,
				what: "it holds a zero byte"
			});
			if (!whole) found.problems.push({
				code: "cut-off",
				line: 0,
				what: "it ends within a statement or a table"
			});
			const unique = (names) => [...new Set(names)];
			const { roles, extensions, databases } = found;
			return {
				...found,
				roles: unique(roles),
				extensions: unique(extensions),
				databases: unique(databases)
			};
		}
	};
}
/** So many ends of statements are told one by one; then one in so many bytes. */
const [endsLimit, endsApart] = [1e4, 1048576];
function readPiece(found, piece, { before, after, state }) {
	found.lines = piece.lastLine;
	const endsLine = piece.lastLine < (after?.line ?? Number.POSITIVE_INFINITY);
	const alone = endsLine && (before?.lastLine ?? 0) < piece.line;
	if (piece.kind === "comment") readComment(found, piece);
	else if (piece.kind === "meta") readMeta(found, piece, alone);
	else if (piece.kind === "rows") found.copied.push({
		database: found.databases.at(-1),
		table: state.table,
		rows: piece.count
	});
	else {
		readStatement(found, piece, alone);
		if (takesRows(piece.text)) state.table = readCopy(found, piece, {
			alone,
			after
		});
		else if (endsLine && (found.ends.length < endsLimit || piece.to - state.lastEnd >= endsApart)) {
			found.ends.push(piece.lastLine);
			state.lastEnd = piece.to;
		}
	}
}
/** The table. In any other form than pg_dump's, psql and we might not agree on which lines are rows. */
function readCopy(found, { text, line, lastLine }, { alone, after }) {
	const table = copiedTable(text);
	const rowsFollow = after === void 0 || after.kind === "rows" && after.line === lastLine + 1;
	if (alone && table !== void 0 && rowsFollow) found.copies.push({
		from: line,
		to: lastLine
	});
	else found.problems.push({
		code: "copy",
		line,
		what: shown$3(text.replaceAll(/\s+/g, " "))
	});
	return table ?? "";
}
function readComment(found, { text, line }) {
	found.serverVersion ??= /^Dumped from database version (\d+(?:\.\d+)*)/.exec(text)?.[1];
	found.dumpVersion ??= /^Dumped by pg_dump version (\d+(?:\.\d+)*)/.exec(text)?.[1];
	if (text === "PostgreSQL database cluster dump") found.cluster = true;
	if (text === (found.cluster ? "PostgreSQL database cluster dump complete" : "PostgreSQL database dump complete")) found.complete = true;
	if (text !== "PostgreSQL database dump complete") return;
	const part = found.parts.pop();
	if (part) found.parts.push({
		...part,
		to: Math.min(part.to, line)
	});
}
/** The commands that pg_dump and pg_dumpall write; a backtick in one would run a program (CVE-2026-18408). */
function readMeta(found, { text, line }, alone) {
	if (alone && /^\\(un)?restrict [A-Za-z0-9]+$/.test(text)) {
		found.needless.push({
			from: line,
			to: line
		});
		return;
	}
	const database = alone ? connected(text) : void 0;
	if (database !== void 0) beginPart(found, database, line);
	else if (/^\\(un)?restrict\b/.test(text)) found.problems.push({
		code: "restrict",
		line,
		what: shown$3(text)
	});
	else found.problems.push({
		code: "meta-command",
		line,
		what: shown$3(text)
	});
}
function beginPart(found, database, line) {
	const before = found.parts.pop();
	if (before) found.parts.push({
		...before,
		to: Math.min(before.to, line - 1)
	});
	found.parts.push({
		database,
		from: line + 1,
		to: Number.MAX_SAFE_INTEGER
	});
	found.databases.push(database);
}
function connected(text) {
	const name = /^\\connect (?:-reuse-previous=on )?("(?:[^"`]|"")+"|[\w-]+)$/.exec(text)?.[1];
	if (name === void 0) return void 0;
	const bare = unquoted(name);
	return /^dbname='((?:[^'\\]|\\.)*)'$/.exec(bare)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? bare;
}
const name = String.raw`("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
const rolePatterns = [
	String.raw`\bowner to ${name}$`,
	String.raw`^grant [\s\S]+ to ${name}(?: with [\s\S]*)?$`,
	`^create (?:role|user|group) ${name}`,
	`^alter default privileges for role ${name}`,
	String.raw`^create schema [\s\S]+ authorization ${name}$`,
	`^set (?:session authorization|role) ${name}$`
].map((pattern) => new RegExp(pattern, "iu"));
const extensionPattern = new RegExp(`^create extension (?:if not exists )?${name}`, "iu");
/** Lines are only left out when they hold nothing else. */
function readStatement(found, piece, alone) {
	const { text, line, lastLine } = piece;
	const words = text.replaceAll(/\s+/g, " ");
	if (alone && /^set transaction_timeout\b/i.test(words)) found.needless.push({
		from: line,
		to: lastLine
	});
	if (alone && /^alter .+ owner to [^ ]+$|^alter default privileges |^comment on extension /i.test(words)) found.privileged.push({
		from: line,
		to: lastLine
	});
	for (const pattern of rolePatterns) {
		const role = pattern.exec(words)?.[1];
		if (role !== void 0 && !/^(public|current_user|session_user|default)$/i.test(role)) found.roles.push(unquoted(role));
	}
	const extension = extensionPattern.exec(words)?.[1];
	if (extension !== void 0) found.extensions.push(unquoted(extension));
	const danger = dangerOf(piece);
	if (danger && !(found.cluster && danger === "superuser")) found.problems.push({
		code: danger,
		line,
		what: shown$3(words)
	});
}
function unquoted(text) {
	return text.startsWith("\"") ? text.slice(1, -1).replaceAll("\"\"", "\"") : text.toLowerCase();
}
/** No secret stands in it: the text of string constants was never kept. */
function shown$3(text) {
	return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

// src/service/postgres/foreign-script.ts
const kinds = [
	"plain",
	"gzip",
	"zstd",
	"archive",
	"directory"
];
/** Looks at the first bytes. Throws an input error when there is nothing that can be read. */
async function foreignFile(service, container, path) {
	const { stdout, code, stderr } = await service.host.run(script("read", remoteScript("postgres-script"), [
		container.id,
		"",
		"",
		path,
		""
	]), { allow: "any" });
	const kind = kinds.find((one) => one === stdout.trim());
	if (code === 0 && kind) return {
		path,
		kind
	};
	throw inputError("file-unreadable", `file: ${stderr.trim() || `${path} is no dump`}`, { hint: "Give the absolute path, on the host, of a .sql, .sql.gz, .sql.zst, .dump or tar file, or of the folder of a pg_dump -Fd." });
}
/** Reads the whole of it as SQL, a chunk at a time. Throws a named failure when it cannot be read to its end. */
async function scanForeign(service, container, file) {
	const nonce = newNonce();
	const args = [
		container.id,
		insideScript("script"),
		nonce,
		file.path,
		file.kind
	];
	const { stdout, done } = service.host.stream(script("read", remoteScript("postgres-script"), args), { timeout: 216e5 });
	const scanner = dumpScanner();
	done.catch(() => void 0);
	let bytes = 0;
	for await (const chunk of stdout) {
		bytes += chunk.length;
		scanner.write(chunk);
	}
	const { stderr } = await done.catch((error) => {
		throw named(`reading ${file.path}`, "file-unreadable", error);
	});
	if (!stderr.includes(`${nonce} end 0`)) throw failure("file-unreadable", `${file.path} could not be read to its end`);
	return {
		...scanner.end(),
		bytes
	};
}

// src/service/postgres/restore-foreign.ts
/**
* Restores one database from a dump that somebody else made, beside the live one, and swaps it in. It is read first, in a
* stream; what speaks against it is refused with the reasons. It runs as a role of its own without rights over the
* server, which then owns what came in; with `force` as the superuser, with owners and all, whatever speaks against it.
* The rows of every COPY are compared with what came in; of which tables they could not be is told.
*/
async function restoreForeign$1(service, container, { file: path, database, force, work }) {
	const server = await readServer(service, container);
	const job = {
		service,
		container,
		work,
		server
	};
	if (server.standby) throw refusal("postgres-standby", `${service.name} is a standby: it cannot be restored into`);
	assertReplaceable(server, [database]);
	const file = await foreignFile(service, container, path);
	const scan = await scanForeign(service, container, file);
	const part = partOf(scan, database);
	const [available = []] = await ask$2(service, container, "select name from pg_available_extensions");
	const objections = foreignObjections(scan, {
		major: Math.floor(server.version / 1e4),
		available
	});
	if (objections.length > 0 && !force) throw refusal("foreign-dump", `${path} is not restored: ${objections.join("; ")}`, { hint: "If you trust who made it, `force: true` runs it as the superuser." });
	await dropLeftovers(job);
	const temporary = file.kind === "directory" ? scan.bytes * 2 : scan.bytes;
	await assertRoomInside(service, container, {
		data: scan.bytes,
		temporary
	});
	const role = force ? "" : roleName(work.id);
	const names = {
		live: database,
		name: besideName(database, "new", work.id),
		old: besideName(database, "old", work.id),
		exists: server.databases.some((one) => one.name === database)
	};
	const roles = scan.roles.filter((one) => !server.roles.includes(one));
	try {
		const contents = await runScript(job, {
			file,
			scan,
			part,
			role,
			roles,
			database,
			name: names.name
		});
		const uncompared = assertRows(scan, part, contents);
		await swapAll(job, [{
			...names,
			step: stepPart(database),
			contents,
			properties: [],
			subscriptions: 0
		}]);
		const kept = names.exists ? `The replaced data of ${service.name} is in "${names.old}"` : "There was nothing to replace";
		return {
			tables: contents.tables.length,
			rows: rowsOf(contents),
			keys: 0,
			kept: `${kept}; ${told$1(role, roles, uncompared)}.`
		};
	} catch (error) {
		await drop(job, names.name, role === "" ? roles : [...roles, role], error);
		throw error;
	}
}
function told$1(role, roles, uncompared) {
	const made = roles.length > 0 ? `; roles made without login: ${roles.map((one) => `"${one}"`).join(", ")}` : "";
	const unknown = uncompared.length > 0 ? `; rows not compared: ${uncompared.slice(0, 10).join(", ")}` : "";
	return `${role === "" ? "owners are those of the dump" : `what came in belongs to the role "${role}"`}${made}${unknown}`;
}
function partOf(scan, database) {
	if (scan.parts.length === 0) return {
		from: 1,
		to: Number.MAX_SAFE_INTEGER
	};
	const part = scan.parts.findLast((one) => one.database === database);
	if (part) return part;
	throw inputError("unknown-database", `database: the file has no database "${database}"`, { hint: `It has: ${scan.databases.join(", ")}.` });
}
async function runScript(job, run) {
	const { service, container, work } = job;
	const nonce = newNonce();
	const plan = planOf(run);
	const mark = JSON.stringify({
		"infra-actions": "restoring",
		name: run.database
	});
	const create = [
		...run.roles.map((one) => `create role ${identifier(one)} nologin`),
		...run.role === "" ? [] : [`create role ${identifier(run.role)} nologin`],
		`create database ${identifier(run.name)} template template0${run.role === "" ? "" : ` owner ${identifier(run.role)}`}`,
		`comment on database ${identifier(run.name)} is ${literal(mark)};`
	];
	const args = [
		...[
			container.id,
			insideScript("script"),
			insideScript("foreign"),
			nonce,
			run.file.path,
			run.file.kind
		],
		...[
			sessionName(work.id),
			create.join(";\n"),
			connectionTo(run.name),
			run.role,
			countSql
		],
		...[
			run.part.from,
			run.part.to,
			...chunks(plan)
		]
	];
	const { stdout } = await work.step(`restore-foreign-${service.name}`, script("change", remoteScript("postgres-foreign"), args), {
		timeout: 432e5,
		assume: `${nonce} fact size 1\n${nonce} fact objects 0\n${nonce} end 0\n`
	}).catch((error) => {
		throw withoutRights(run, named(`restoring ${run.file.path} beside "${run.database}"`, "foreign-restore-failed", error));
	});
	const lines = markedLines(stdout, nonce);
	if (!cameToEnd(lines)) throw failure("foreign-restore-failed", `restoring ${run.file.path} broke off`);
	return databaseContents(run.database, valuesOf(lines, "fact"));
}
/** What the script inside has to know about lines of the file, in their order. */
function planOf({ scan, part, role }) {
	return [
		...[...scan.needless, ...role === "" ? [] : scan.privileged].map((one) => ({
			...one,
			what: "out"
		})),
		...scan.copies.map((one) => ({
			...one,
			what: "copy"
		})),
		...scan.ends.map((line) => ({
			from: line,
			to: line,
			what: "end"
		}))
	].filter((one) => one.from >= part.from && one.to <= part.to).toSorted((a, b) => a.from - b.from).map((one) => `${one.what} ${one.from} ${one.to}`);
}
/** What the guarding role may not do is the dump's doing, not a fault of the server's set-up. */
function withoutRights({ role, file }, error) {
	if (role === "" || !(error instanceof AppError) || error.code !== "postgres-permission") return error;
	return refusal("foreign-dump", `${file.path} asks for rights over the server: ${error.message}`, {
		hint: "Nothing live was touched. If you trust who made it, `force: true` runs it as the superuser.",
		cause: error
	});
}
/** As arguments, each of which has to stay below 128 KiB. */
function chunks(lines) {
	const size = 3e3;
	return Array.from({ length: Math.ceil(lines.length / size) }, (_, at) => lines.slice(at * size, (at + 1) * size).join("\n"));
}
/** Tables whose rows could not be compared. */
function assertRows(scan, part, { tables }) {
	const database = scan.parts.find((one) => one.from === part.from)?.database;
	const expected = scan.copied.filter((one) => database === void 0 || one.database === database);
	const { wrong, unknown } = compareCopied(expected, tables);
	if (wrong.length === 0) return expected.length === 0 && tables.some(({ rows }) => rows > 0) ? ["all, since the file has no COPY"] : unknown;
	throw failure("restore-differs", `what came in is not what the file holds: ${wrong.slice(0, 10).join("; ")}`);
}
function roleName(run) {
	return `restored_${(0, node_crypto.createHash)("sha256").update(run).digest("hex").slice(0, 12)}`;
}
/** The database, and roles that were made for it. What goes wrong here is added to `error`, whose message counts. */
async function drop({ service, container, work }, name, roles, error) {
	const sql = [dropSql(name), ...roles.map((role) => `drop role if exists ${identifier(role)};`)].join("\n");
	const command = execInside("change", container, {
		name: "apply",
		args: [newNonce(), "dbname='template1'"]
	});
	try {
		await work.step(`drop-${service.name}`, command, { input: sql });
	} catch (problem) {
		if (error instanceof Error && error.cause === void 0) error.cause = problem;
	}
}

// src/service/postgres/initial-role.ts
/**
* Of a `pg_dumpall --globals-only`, what makes a role that initdb has just made the one that it was: password, attributes,
* settings, comment; empty when the text does not have it. Throws `SyntaxError` on a text that is cut off.
*/
function initialRole(globals, role) {
	const kept = sqlStatements(globals).filter((one) => concerns$1(one, role));
	return kept.length === 0 ? "" : [
		"begin",
		...kept.map(({ text }) => text),
		"commit",
		""
	].join(";\n");
}
function concerns$1(statement, role) {
	if (beginsWith(statement, "ALTER", "ROLE")) return nameAt(statement, 2) === role && !statement.tokens.some((token) => isKeyword(token, "DATABASE"));
	return beginsWith(statement, "COMMENT", "ON", "ROLE") && nameAt(statement, 3) === role;
}

// src/service/postgres/missing-roles.ts
/**
* Of a `pg_dumpall --globals-only`, the statements that bring back roles which are not in `existing`, as one
* transaction; empty when none is missing. Roles that exist keep their password, attributes and settings; tablespaces
* are left out, for their directories are not in a backup. Throws `SyntaxError` on a text that is cut off.
*/
function missingRoles(globals, existing) {
	const statements = sqlStatements(globals);
	const present = new Set(existing);
	const missing = new Set(statements.flatMap((one) => {
		const name = beginsWith(one, "CREATE", "ROLE") ? nameAt(one, 2) : void 0;
		return name === void 0 || present.has(name) ? [] : [name];
	}));
	if (missing.size === 0) return "";
	return [
		"begin",
		...statements.filter((one) => concerns(one, missing)).map(({ text }) => text),
		"commit",
		""
	].join(";\n");
}
function concerns(statement, missing) {
	const about = (at) => missing.has(nameAt(statement, at) ?? "");
	if (beginsWith(statement, "CREATE", "ROLE") || beginsWith(statement, "ALTER", "ROLE")) return about(2);
	if (beginsWith(statement, "COMMENT", "ON", "ROLE")) return about(3);
	return beginsWith(statement, "GRANT") && memberships(statement).some((name) => missing.has(name));
}
/** Both sides of `GRANT role TO member`; of `GRANT right ON PARAMETER name TO role` the role alone. */
function memberships(statement) {
	const { tokens } = statement;
	const to = tokens.findIndex((token) => isKeyword(token, "TO"));
	const member = nameAt(statement, to + 1);
	const names = to < 0 || member === void 0 ? [] : [member];
	if (tokens.slice(0, to).some((token) => isKeyword(token, "ON"))) return isKeyword(tokens[tokens.findIndex((token) => isKeyword(token, "ON")) + 1], "PARAMETER") ? names : [];
	const group = nameAt(statement, 1);
	return group === void 0 ? names : [group, ...names];
}

// src/service/postgres/restore-roles.ts
/** Brings back the roles that the server does not have; the others keep their passwords. They hold hashes: never shown. */
async function restoreRoles(job, artifacts) {
	const { service, container, work, server } = job;
	const file = artifacts.find((one) => one.role === "globals")?.file;
	if (file === void 0) throw failure("manifest-incomplete", `the backup of ${service.name} has no file with its roles`);
	const statements = await work.check("read-roles", async () => {
		const { stdout } = await service.host.run(sh`cat ${`${service.backups}/${file}`}`);
		return missingRoles(stdout, server.roles);
	}, "");
	if (statements === "") return;
	const nonce = newNonce();
	const { stdout } = await work.step(`restore-${service.name}-roles`, execInside("change", container, {
		name: "apply",
		args: [nonce, "dbname='template1'"]
	}), {
		input: new Secret("roles", statements),
		assume: `${nonce} end 0\n`
	}).catch((error) => {
		throw named(`restoring the roles of ${service.name}`, "postgres-roles-failed", error);
	});
	if (!cameToEnd(markedLines(stdout, nonce))) throw failure("postgres-roles-failed", `restoring the roles of ${service.name} broke off: none was made`);
}

// src/service/postgres/restore-server.ts
/**
* Restores every database of the backup beside the live one, counts it and compares exactly with the manifest (S9); only
* when all are right, one transaction renames them all. The replaced databases stay as `NAME__old_XXXXXXXX`. When
* anything differs the live databases are as they were and the new ones are gone. What a killed restore left is dropped first.
* Where the disk has no room for both and `inPlace` is given, the live databases are dropped before: see `giveWay`.
*/
async function restoreServer$1(service, container, { backup, work, place = placeOf(container), inPlace }) {
	const contents = contentsOf$1(service, backup);
	const assumed = {
		...assumedServer,
		version: contents.version
	};
	const job = {
		service,
		container,
		work,
		server: await serverFor(work, {
			service,
			container,
			assumed
		})
	};
	await assertPossible(job, contents);
	await dropLeftovers(job);
	const incoming = incomingOf(job, backup, contents, place);
	const look = () => lackOf(job, incoming);
	const dropped = mustGiveWay(job, incoming, await look(), inPlace !== void 0);
	await assertUnchanged(job, backup.artifacts.filter((one) => one.role !== "database"));
	await restoreRoles(job, backup.artifacts);
	if (inPlace && dropped) await giveWay(job, incoming, {
		inPlace,
		look
	});
	const restored = await restoreAll$1(job, incoming, { dropped });
	await swapAll(job, restored);
	return {
		tables: contents.databases.reduce((sum, { tables }) => sum + tables.length, 0),
		rows: contents.databases.reduce((sum, database) => sum + rowsOf(database), 0),
		keys: 0,
		kept: keptSentence(service, restored, {
			expected: contents.databases,
			dropped
		})
	};
}
/** Refuses what can be seen to speak against it, while everything still runs; changes nothing. */
async function assertRestorable$1(service, container, { backup, work, inPlace }) {
	const contents = contentsOf$1(service, backup);
	const job = {
		service,
		container,
		work,
		server: await readServer(service, container)
	};
	await assertPossible(job, contents);
	if (leftoversOf(job.server).length > 0) return;
	const incoming = incomingOf(job, backup, contents, placeOf(container));
	mustGiveWay(job, incoming, await lackOf(job, incoming), inPlace);
}
function contentsOf$1(service, { contents }) {
	if (contents.kind === "postgres") return contents;
	throw inputError("wrong-kind", `the backup of ${service.name} holds ${contents.kind} data, not a Postgres server's`);
}
function incomingOf(job, backup, { databases }, place) {
	return databases.map((expected) => ({
		names: namesOf(job, expected),
		expected,
		artifact: fileOf(backup, expected),
		properties: propertiesOf(backup, expected),
		place
	}));
}
function namesOf({ work, server }, { name }) {
	return {
		live: name,
		name: besideName(name, "new", work.id),
		old: besideName(name, "old", work.id),
		exists: server.databases.some((one) => one.name === name),
		step: stepPart(name)
	};
}
/** All of them beside the live ones, as the manifest has them; none is left when one is not. */
async function restoreAll$1(job, incoming, { dropped }) {
	const restored = [];
	const expected = incoming.map((one) => one.expected);
	try {
		for (const one of incoming) {
			const names = dropped ? {
				...one.names,
				exists: false
			} : one.names;
			restored.push({
				...names,
				...await restoreBeside(job, names, one)
			});
		}
		assertEqual(job.service, expected, restored.map((one) => one.contents));
		return restored;
	} catch (error) {
		await dropBeside(job, expected, error);
		throw error;
	}
}
async function assertPossible(job, contents) {
	const { service, server } = job;
	if (server.standby) throw refusal("postgres-standby", `${service.name} is a standby: it cannot be restored into`, { hint: "Restore into the primary." });
	const [from, to] = [Math.floor(contents.version / 1e4), Math.floor(server.version / 1e4)];
	if (from > to) throw refusal("postgres-version", `the backup is of PostgreSQL ${from}, ${service.name} runs ${to}`, { hint: `Start ${service.name} with an image of PostgreSQL ${from} or later.` });
	const replaced = contents.databases.map(({ name }) => name);
	assertReplaceable(server, replaced);
	await assertExtensions$1(job, contents);
}
async function assertExtensions$1({ service, container, work }, contents) {
	const needed = new Set(contents.databases.flatMap(({ extensions = [] }) => extensions.map(({ name }) => name)));
	if (needed.size === 0 || work.dryRun && container.state !== "running") return;
	const [available = []] = await ask$2(service, container, "select name from pg_available_extensions;");
	const missing = [...needed].filter((name) => !available.includes(name));
	if (missing.length > 0) throw refusal("postgres-extension", `${service.name} does not have the extensions ${missing.join(", ")}`, { hint: `Start ${service.name} with an image that has them, as the backup's had.` });
}
/** The databases lie twice for a while, and each archive once more, unpacked if zstd packed it as a whole. */
async function lackOf({ service, container, work }, incoming) {
	if (work.dryRun && container.state !== "running") return () => void 0;
	const data = incoming.reduce((sum, { expected }) => sum + expected.size, 0);
	const temporary = Math.max(...incoming.map(({ expected, artifact: { bytes, file } }) => {
		const stored = storedAs(file);
		return bytes + (stored === "zst" ? expected.size : stored === "directory" ? bytes : 0);
	}));
	return roomInside(service, container, {
		data,
		temporary
	});
}
function fileOf(backup, { name }) {
	const found = backup.artifacts.find((one) => one.role === "database" && one.name === name);
	if (found) return found;
	throw failure("manifest-incomplete", `the backup names database "${name}" but no file that holds it`);
}
/** SQL does not say how its database is made: a file beside it does. */
function propertiesOf(backup, database) {
	return backup.artifacts.find((one) => one.role === "properties" && one.name === database.name) ?? fileOf(backup, database);
}
function assertEqual(service, expected, actual) {
	const differences = compareDatabases(expected, actual);
	const content = differentContent(expected, actual).map((what) => `${what}: other content than its checksum`);
	const all = [...differences.map(describeDifference), ...content];
	if (all.length === 0) return;
	const shown = all.slice(0, 20);
	const rest = all.length > shown.length ? [`${all.length - shown.length} more`] : [];
	throw failure("restore-differs", `what was restored beside ${service.name} is not what was backed up: ${[...shown, ...rest].join("; ")}`, { hint: "The live databases were not touched. Use another backup, or this one's copy in the other store." });
}
function keptSentence(service, restored, { expected, dropped }) {
	const old = restored.filter((one) => one.exists).map((one) => `"${one.old}"`);
	const nothing = dropped ? `The disk of ${service.name} had no room for both: what was there was dropped before` : "There was nothing to replace";
	const kept = old.length === 0 ? nothing : `The replaced data of ${service.name} is in ${old.join(", ")}`;
	const changed = restored.flatMap((one) => otherVersions(one, expected));
	const versions = changed.length === 0 ? "" : `; extensions came in other versions: ${changed.join(", ")}`;
	const subscriptions = restored.filter((one) => one.subscriptions > 0).map((one) => `"${one.live}"`);
	return subscriptions.length === 0 ? `${kept}${versions}.` : `${kept}${versions}; subscriptions of ${subscriptions.join(", ")} came back stopped.`;
}
/** `pg_trgm 1.6 (was 1.5)`, of one database. */
function otherVersions({ contents }, expected) {
	const before = expected.find((one) => one.name === contents.name)?.extensions ?? [];
	return (contents.extensions ?? []).flatMap(({ name, version }) => {
		const was = before.find((one) => one.name === name)?.version;
		return was === void 0 || was === version ? [] : [`${name} ${version} (was ${was})`];
	});
}

// src/service/postgres/restore-fresh.ts
/**
* A restore into a server that initdb has just made. The role that initdb made gets the password and settings it had,
* for they may have been changed since the first start; the empty databases that gave way are dropped.
*/
async function restoreFreshServer(service, container, { backup, work }) {
	const report = await restoreServer$1(service, container, {
		backup,
		work
	});
	const sql = await work.check(`read-role-${service.name}`, async () => {
		const [[role = ""] = []] = await ask$2(service, container, "select current_user;");
		return initialRole(await globalsOf(service, backup), role);
	}, "");
	const empty = await work.check(`empty-${service.name}`, () => emptyOnes(service, container, {
		backup,
		work
	}), []);
	const nonce = newNonce();
	const { stdout } = await work.step(`finish-${service.name}`, execInside("change", container, {
		name: "apply",
		args: [nonce, "dbname='template1'"]
	}), {
		input: new Secret("role", [
			sql,
			...empty.map((name) => `drop database ${identifier(name)};`),
			""
		].join("\n")),
		assume: `${nonce} end 0\n`
	}).catch((error) => {
		throw named(`giving the first role of ${service.name} what it had`, "postgres-role-failed", error);
	});
	if (!cameToEnd(markedLines(stdout, nonce))) throw failure("postgres-role-failed", `giving the first role of ${service.name} what it had broke off`);
	return {
		...report,
		kept: ""
	};
}
/** Of the databases that gave way, those without any table: one in which somebody has written meanwhile stays. */
async function emptyOnes(service, container, { backup, work }) {
	const restored = backup.contents.kind === "postgres" ? backup.contents.databases : [];
	const gaveWay = new Set(restored.map(({ name }) => besideName(name, "old", work.id)));
	const { databases } = await readServer(service, container);
	const names = databases.flatMap((one) => gaveWay.has(one.name) && markOf(one) ? [one.name] : []);
	const answers = await ask$2(service, container, relationsSql, { databases: names });
	return names.filter((_, at) => answers[at]?.[0] === "0");
}
const relationsSql = `select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema';`;
async function globalsOf(service, backup) {
	const file = backup.artifacts.find((one) => one.role === "globals")?.file;
	if (file === void 0) throw failure("manifest-incomplete", `the backup of ${service.name} has no file with its roles`);
	return (await service.host.run(sh`cat ${`${service.backups}/${file}`}`)).stdout;
}

// src/service/postgres/scratch-server.ts
/** An empty server of the same image, set up as the real one where a restore depends on it. */
const scratchServer$1 = {
	needs: needs$1,
	recipe: recipe$1,
	ready: ready$1
};
/** Indexes, log and temporary files come on top of what the databases took; an archive lies unpacked for a while. */
function needs$1({ artifacts, contents }) {
	const data = contents.kind === "postgres" ? contents.databases.reduce((sum, { size }) => sum + size, 0) : 0;
	const stored = artifacts.reduce((sum, { bytes }) => sum + bytes, 0);
	return {
		disk: Math.ceil(data * 2.2) + stored + 256 * 2 ** 20,
		memory: 2 * 2 ** 30
	};
}
/** Variables of the image that decide how the cluster is made. */
const wanted$1 = [
	"POSTGRES_USER",
	"POSTGRES_DB",
	"POSTGRES_INITDB_ARGS",
	"PGDATA",
	"LANG",
	"LC_ALL",
	"TZ"
];
/** Without these an extension cannot be made, or a restore of many tables fails. */
const settingsSql = `select name || '=' || setting from pg_settings
where name in ('shared_preload_libraries', 'max_locks_per_transaction') and source <> 'default';`;
async function recipe$1(service, live) {
	const { services } = await service.stack.definition();
	const defined = services.find((one) => one.name === service.name)?.environment ?? {};
	const kept = wanted$1.flatMap((name) => defined[name] === void 0 ? [] : [[name, defined[name]]]);
	const [settings = []] = live?.state === "running" ? await ask$2(service, live, settingsSql) : [];
	return {
		environment: {
			...Object.fromEntries(kept),
			POSTGRES_PASSWORD: "no-network"
		},
		command: ["postgres", ...settings.flatMap((setting) => ["-c", setting])],
		volumes: []
	};
}
/** Asked over TCP: while the image makes the cluster, a temporary server answers on the socket only. */
async function ready$1(service, container) {
	const { code } = await service.host.run(sh`docker exec ${container.id} pg_isready -q -h 127.0.0.1 2>&1`, { allow: "any" });
	return code === 0;
}

// src/service/postgres/stop-server.ts
/** Seconds that a fast shutdown may take at least: its checkpoint writes all that is dirty. A quick one ends at once. */
const leastGrace = 120;
/**
* Fast shutdown, whatever stop signal the container has (SIGTERM waits for every client, and is then killed), proven
* by the state that the control file is left in. Gives the fingerprint that the stop has left there.
*/
async function stopServer$1(service, container, work) {
	const assumed = {
		state: "shut down",
		fingerprint: await fingerprintServer$1(service, container)
	};
	const { services } = await service.stack.definition();
	const period = services.find((one) => one.name === service.name)?.stopGracePeriod ?? 0;
	const graceSeconds = Math.max(leastGrace, Math.ceil(period / 1e3));
	await work.step(`stop-${service.name}`, service.stack.stop([container], {
		signal: "SIGINT",
		graceSeconds
	}), { timeout: (graceSeconds + 60) * 1e3 });
	const { state, fingerprint } = await work.check(`state-${service.name}`, () => readStopped(service, container), assumed);
	if (state === "shut down" || state === "shut down in recovery") return fingerprint;
	throw failure("postgres-unclean-stop", `${service.name} did not stop cleanly: its data directory is "${state}"`, { hint: "Nothing was removed. Start it again, let it recover (see its log), and run again." });
}
/** What the control file of a stopped container's data directory says. */
async function readStopped(service, container) {
	const command = script("read", remoteScript("postgres-controldata"), [container.id, container.imageId]);
	const { stdout } = await service.host.run(command).catch((error) => {
		throw named(`reading the data directory of ${service.name}`, "postgres-no-controldata", error);
	});
	return {
		state: /^Database cluster state: *(.*)$/m.exec(stdout)?.[1] ?? "unknown",
		fingerprint: stoppedFingerprint(service.name, stdout)
	};
}

// src/service/postgres/upgrade-server.ts
/**
* The major upgrade that the definition's image would make of this server's data; undefined when it is of the same
* major, or not on the host yet. Refuses an older major, a data path outside of every volume, and what a dump would not
* carry over.
*/
async function planUpgrade(service, container, definition) {
	const found = await inspectImage(service.host, definition.image);
	if (!found || found.id === container.imageId) return void 0;
	const [image, server] = await Promise.all([readImage(service, definition), readServer(service, container)]);
	const from = Math.floor(server.version / 1e4);
	assertDataPath(service, image, definition);
	if (from === image.major) return void 0;
	assertUpward(service, from, image.major);
	const databases = server.databases.filter((one) => one.connectable && !one.template && !markOf(one));
	assertCarried(service, server);
	const held = await readHeld(service, container, databases.map((one) => one.name));
	assertExtensions(service, held.extensions, image);
	return {
		from: `PostgreSQL ${from}`,
		to: `PostgreSQL ${image.major}`,
		directory: held.directory,
		bytes: databases.reduce((sum, { size }) => sum + size, 0),
		advice: adviceOf$1(service, held.settings, server)
	};
}
/** From 18 on the official image keeps its data in a directory of the major's own, below the old mount's parent. */
function assertDataPath(service, image, definition) {
	const mounts = definition.volumes.filter((one) => one.type === "bind" || one.type === "volume");
	const covers = (target) => `${image.directory}/`.startsWith(`${target.replace(/\/+$/, "")}/`);
	if (mounts.some((one) => covers(one.target))) return;
	const there = mounts.map((one) => one.target).join(", ") || "nothing";
	throw refusal("postgres-data-path", `the image ${definition.image} keeps its data in ${image.directory}, where ${service.name} has no volume (it mounts ${there})`, { hint: "For PostgreSQL 18 and later mount the same volume at /var/lib/postgresql instead of /var/lib/postgresql/data; the data is moved by the upgrade." });
}
function assertUpward({ name }, from, to) {
	if (from < to) return;
	throw refusal("postgres-downgrade", `${name} has data of PostgreSQL ${from}, its new image is PostgreSQL ${to}`, { hint: `Use an image of PostgreSQL ${from} or later: no older server reads this data, nor a dump of it.` });
}
function assertCarried({ name }, { databases, standby }) {
	const left = databases.filter((one) => !["template0", "template1"].includes(one.name) && (one.template || !one.connectable));
	if (standby) throw refusal("postgres-standby", `${name} is a standby: upgrade the primary, then make the standby anew`);
	if (left.length === 0) return;
	throw refusal("postgres-not-carried", `${left.map((one) => `"${one.name}"`).join(", ")} of ${name} would not be carried over: a template, or closed to connections`, { hint: "ALTER DATABASE ... IS_TEMPLATE false ALLOW_CONNECTIONS true, or drop it, then run again." });
}
const heldSchema = require_libraries.object({
	directory: require_libraries.string$1(),
	extensions: require_libraries.array(require_libraries.string$1()),
	settings: require_libraries.array(require_libraries.string$1())
});
async function readHeld(service, container, databases) {
	const all = (await ask$2(service, container, heldSql, { databases })).map((rows) => heldSchema.parse(JSON.parse(rows.join("\n") || "null")));
	const [first] = all;
	return {
		directory: first?.directory ?? "",
		settings: first?.settings ?? [],
		extensions: [...new Set(all.flatMap((one) => one.extensions))]
	};
}
const heldSql = `select json_build_object(
  'directory', current_setting('data_directory'),
  'extensions', (select coalesce(json_agg(extname), '[]') from pg_extension),
  'settings', (select coalesce(json_agg(distinct name), '[]') from pg_file_settings
    where sourcefile like '%/postgresql.auto.conf'));`;
function assertExtensions({ name }, wanted, image) {
	const missing = wanted.filter((one) => !image.extensions.includes(one));
	if (missing.length === 0) return;
	throw refusal("postgres-extension", `the new image of ${name} does not have the extensions ${missing.join(", ")}`, { hint: `Use an image of PostgreSQL ${image.major} that brings them.` });
}
function adviceOf$1({ name }, settings, server) {
	const tablespaces = server.ownTablespaces > 0 ? [`${name}: tables of own tablespaces are now in the default one.`] : [];
	if (settings.length === 0) return tablespaces;
	return [`${name}: settings made by ALTER SYSTEM did not come along: ${settings.join(", ")}. Set them in the compose file, or again.`, ...tablespaces];
}

// src/service/postgres/compare-with-backup.ts
/**
* One check a database: tables of the backup that are gone, or more than half of its rows gone, is a failure; fewer rows
* than in the backup a warning with the numbers, since an app may delete; equal and more are right, and told apart.
*/
function compareWithBackup(backup, now) {
	if (backup?.contents.kind !== "postgres") return [];
	return backup.contents.databases.map((before) => compare(before, now.find((one) => one.name === before.name)));
}
function compare(before, now) {
	const name = `rows of ${before.name}`;
	if (!now) return {
		name,
		state: "failed",
		detail: "the database of the backup does not exist"
	};
	const counts = new Map(now.tables.map((table) => [`${table.schema}.${table.name}`, table.rows]));
	const tables = before.tables.map((table) => ({
		...table,
		full: `${table.schema}.${table.name}`
	}));
	const gone = tables.filter(({ full }) => !counts.has(full)).map(({ full }) => full);
	if (gone.length > 0) return {
		name,
		state: "failed",
		detail: `tables are gone: ${gone.join(", ")}`
	};
	const fewer = tables.filter(({ full, rows }) => (counts.get(full) ?? 0) < rows);
	const [then, today] = [rowsOf(before), rowsOf(now)];
	if (today < then * .5) return {
		name,
		state: "failed",
		detail: `${today} rows, ${then} in the backup`
	};
	if (fewer.length > 0) return {
		name,
		state: "warning",
		detail: `fewer rows than in the backup: ${fewer.slice(0, 10).map(({ full, rows }) => `${full} ${counts.get(full)} instead of ${rows}`).join(", ")}`
	};
	const more = today - then;
	return {
		name,
		state: "ok",
		detail: more === 0 ? `${today} rows, as in the backup` : `${today} rows, ${more} more than in the backup`
	};
}

// src/service/postgres/verify-server.ts
/**
* Critical tables, counts against a backup, foreign keys, sample queries and a write that is read back. What could not
* be looked at is `unknown` or `failed`, with the reason, never `ok`. Rows themselves are never shown.
*/
async function verifyServer$1(service, container, backup) {
	const name = (what) => `${service.name} ${what}`;
	try {
		const databases = chosenDatabases(service, await readServer(service, container)).map((one) => one.name);
		const counts = await countDatabases(service, container, databases);
		return (await Promise.all([
			compareWithBackup(backup, counts),
			criticalTables(service.config["critical-tables"], counts),
			guarded("foreign keys", () => foreignKeys(service, container, databases)),
			guarded("round trip", () => roundTrip$1(service, container)),
			...service.config["sample-queries"].map((query, at) => {
				const label = `sample query ${at + 1}`;
				return guarded(label, () => sampleQuery(service, container, {
					query,
					label,
					database: service.config.databases?.[0] ?? ""
				}));
			})
		])).flat().map((check) => ({
			...check,
			name: name(check.name)
		}));
	} catch (error) {
		return [{
			name: name("data"),
			state: "failed",
			detail: toldBy(error)
		}];
	}
}
/** Each must be in one of the databases and hold rows. */
function criticalTables(wanted, databases) {
	return wanted.map((table) => {
		const full = table.includes(".") ? table : `public.${table}`;
		const found = databases.flatMap((one) => one.tables.filter((held) => `${held.schema}.${held.name}` === full));
		const rows = found.reduce((sum, one) => sum + one.rows, 0);
		if (found.length === 0) return {
			name: `table ${table}`,
			state: "failed",
			detail: "does not exist"
		};
		return {
			name: `table ${table}`,
			state: rows > 0 ? "ok" : "failed",
			detail: rows > 0 ? `${rows} rows` : "no rows, and it is listed in critical-tables"
		};
	});
}
async function foreignKeys(service, container, databases) {
	const keys = (await ask$2(service, container, foreignKeysSql, {
		databases,
		limit: service.config.timeout
	})).flat().map((line) => JSON.parse(line));
	const label = (key) => `${key.table}.${key.name}`;
	const broken = keys.filter((key) => key.broken);
	const unchecked = keys.filter((key) => !key.valid);
	if (broken.length > 0) return [{
		name: "foreign keys",
		state: "failed",
		detail: `rows point at nothing: ${broken.map(label).join(", ")}`
	}];
	if (unchecked.length > 0) return [{
		name: "foreign keys",
		state: "warning",
		detail: `never validated: ${unchecked.map(label).join(", ")}`
	}];
	return [{
		name: "foreign keys",
		state: "ok",
		detail: `${keys.length} valid, a sample of each followed`
	}];
}
async function roundTrip$1(service, container) {
	const [rows = []] = await ask$2(service, container, roundTripSql, {
		databases: [""],
		limit: service.config.timeout
	});
	const good = rows.length === 1 && rows[0] === "written";
	return [{
		name: "round trip",
		state: good ? "ok" : "failed",
		detail: good ? "a row was written and read back" : "the row did not come back"
	}];
}
/** In a transaction that cannot write. */
async function sampleQuery(service, container, { query, label, database }) {
	const sql = `begin read only;\nselect count(*) from (${query.trim().replace(/;\s*$/, "")}\n) sample;\ncommit;`;
	const [[rows = "0"] = []] = await ask$2(service, container, sql, {
		databases: [database],
		limit: service.config.timeout,
		ownPath: true
	});
	return [{
		name: label,
		state: Number(rows) > 0 ? "ok" : "failed",
		detail: `${rows} rows`
	}];
}
async function guarded(name, look) {
	try {
		return await look();
	} catch (error) {
		return [{
			name,
			state: "failed",
			detail: toldBy(error)
		}];
	}
}
/** The message of a refusal or failure of the service; a failure of the host, or a mistake of ours, goes on up. */
function toldBy(error) {
	if (error instanceof AppError && !(error instanceof HostError)) return error.message;
	throw error;
}

// src/service/postgres/index.ts
/** PostgreSQL 13 and later in the official image, or one that takes the same variables; servers reached by their local socket. */
function postgresDriver({ lockLimit = 3e4, besideFrom } = {}) {
	return {
		kinds: ["postgres"],
		probe: probeServer$1,
		fingerprint: fingerprintServer$1,
		stop: stopServer$1,
		assertRestorable: (service, container, backup, how) => assertRestorable$1(service, container, {
			backup,
			...how
		}),
		backup: (service, container, target, work) => backupServer$1(service, container, {
			target,
			work,
			lockLimit,
			place: placeOf(container, besideFrom)
		}),
		restore: (service, container, backup, work, inPlace) => restoreServer$1(service, container, {
			backup,
			work,
			place: placeOf(container, besideFrom),
			...inPlace && { inPlace }
		}),
		restoreForeign: (service, container, dump, work) => restoreForeign$1(service, container, {
			...dump,
			work
		}),
		undo: (service, container, work, run) => undoRestore$2(service, container, work, run === void 0 ? run : [run]),
		cutRestores: cutRestores$1,
		cutUndos: cutUndos$1,
		dataDirectory,
		replaced: replacedDatabases,
		removeReplaced: (service, container, names, work) => removeReplaced(service, container, {
			names,
			work
		}),
		upgrade: planUpgrade,
		restoreFresh: (service, container, backup, work) => restoreFreshServer(service, container, {
			backup,
			work
		}),
		advise: collationAdvice,
		verify: verifyServer$1,
		scratch: scratchServer$1
	};
}

// src/service/redis/server-answer.ts
/** Reads the output of `redis-probe.sh`: the first line is the reply to PING, INFO follows. */
function parseAnswer(text) {
	const [ping = "", ...rest] = text.replaceAll("\r", "").split("\n");
	const pairs = rest.flatMap((line) => {
		const at = line.indexOf(":");
		return at > 0 && /^[a-z0-9_]+$/i.test(line.slice(0, at)) ? [[line.slice(0, at), line.slice(at + 1)]] : [];
	});
	return {
		ping: ping.trim(),
		fields: Object.fromEntries(pairs),
		keyspace: parseKeyspace(rest.join(" "))
	};
}
/** The databases that hold keys, from `db0:keys=3,expires=1,...` wherever it stands. */
function parseKeyspace(text) {
	const found = /* @__PURE__ */ new Map();
	for (const [, database, keys, expires] of text.matchAll(/\bdb(\d+):keys=(\d+),expires=(\d+)/g)) if (Number(keys) > 0) found.set(Number(database), {
		database: Number(database),
		keys: Number(keys),
		expires: Number(expires)
	});
	return [...found.values()].sort((a, b) => a.database - b.database);
}
/** Which product answers, and its own version: Valkey and Dragonfly also give a `redis_version` that is not theirs. */
function productOf({ fields }) {
	const { dragonfly_version: dragonfly, valkey_version: valkey, redis_version: redis = "" } = fields;
	if (dragonfly !== void 0) return {
		product: "dragonfly",
		version: dragonfly.replace(/^df-v?|^v/, "")
	};
	if (valkey !== void 0) return {
		product: "valkey",
		version: valkey
	};
	return {
		product: "redis",
		version: redis
	};
}

// src/service/redis/ask-server.ts
/** The port inside the container: `services.<name>.port`, else 6379. */
function portOf(service) {
	return service.config.port ?? 6379;
}
/** One of the `redis-*` scripts with the functions it needs in front of it. */
function redisScript(name, { effect, args, parts = ["redis-client"] }) {
	return script(effect, [...parts, name].map(remoteScript).join("\n"), args);
}
/** What the server in a running container says of itself, in one round trip. An error reply is an answer. */
async function askServer(service, container) {
	const command = redisScript("redis-probe", {
		effect: "read",
		args: [container.id, portOf(service)]
	});
	const { stdout } = await service.host.run(command, { timeout: service.config.timeout + 5e3 });
	return parseAnswer(stdout);
}
/** One phrase for a server whose answer to PING is not `PONG`. */
function explainPing({ ping, fields }) {
	if (ping === "PONG") return fields.loading === "0" ? "answers PONG" : "still loads its data";
	if (ping.startsWith("LOADING")) return "still loads its data";
	if (ping.startsWith("NOAUTH") || ping.startsWith("WRONGPASS")) return `refuses the password: ${ping}`;
	return ping === "" ? "no answer to PING" : `PING was answered with: ${ping.slice(0, 200)}`;
}

// src/service/redis/snapshot-set.ts
/** Reads a head from the first bytes of a file. Throws a RangeError when they do not begin like a snapshot. */
function readSnapshotHead(bytes) {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (!/^(REDIS|VALKEY)\d+/.test(text.toString("latin1", 0, 9))) throw new RangeError("not a snapshot: wrong magic");
	const fields = /* @__PURE__ */ new Map();
	const at = {
		bytes: text,
		offset: 9
	};
	try {
		while (peek(at) === auxiliary) {
			at.offset += 1;
			const key = readString(at);
			fields.set(key, readString(at));
		}
	} catch (error) {
		if (error instanceof EndOfBytes) return {
			fields,
			whole: false
		};
		throw error;
	}
	return {
		fields,
		whole: true
	};
}
/**
* What is wrong with a set of Dragonfly snapshot files, one line each; empty means complete: one summary, files 0000 to
* shard-count - 1, each with the summary's snapshot-id and its own shard-id.
*/
function checkSnapshotSet(parts) {
	const summaries = parts.filter((part) => part.file.endsWith("-summary.dfs"));
	const [summary] = summaries;
	if (summary === void 0 || summaries.length > 1) return [`${summaries.length} summary files instead of one`];
	const heads = /* @__PURE__ */ new Map();
	const wrong = [];
	for (const { file, head } of parts) try {
		heads.set(file, readSnapshotHead(head));
	} catch (error) {
		wrong.push(`${file}: ${error instanceof Error ? error.message : error}`);
	}
	const { fields, whole } = heads.get(summary.file) ?? {
		fields: /* @__PURE__ */ new Map(),
		whole: true
	};
	const id = fields.get("snapshot-id");
	const count = Number(fields.get("shard-count"));
	if (!whole) wrong.push(`${summary.file}: cut off`);
	if (id === void 0) wrong.push(`${summary.file}: no snapshot-id`);
	if (!Number.isInteger(count) || count < 1) return [...wrong, `${summary.file}: no shard-count`];
	return [...wrong, ...checkShards(summary.file.replace(/-summary\.dfs$/, ""), {
		parts,
		heads,
		count,
		id
	})];
}
function checkShards(base, { parts, heads, count, id }) {
	const expected = Array.from({ length: count }, (_, shard) => `${base}-${String(shard).padStart(4, "0")}.dfs`);
	const known = /* @__PURE__ */ new Set([...expected, `${base}-summary.dfs`]);
	const surplus = parts.filter(({ file }) => !known.has(file)).map(({ file }) => `${file}: not of this set`);
	const wrong = expected.flatMap((file, shard) => {
		if (!parts.some((part) => part.file === file)) return [`${file}: missing`];
		const fields = heads.get(file)?.fields;
		if (fields === void 0) return [];
		if (fields.get("snapshot-id") !== id) return [`${file}: of another snapshot`];
		return fields.get("shard-id") === String(shard) ? [] : [`${file}: holds shard ${fields.get("shard-id") ?? "(none)"}`];
	});
	return [...surplus, ...wrong];
}
const auxiliary = 250;
var EndOfBytes = class extends Error {};
function peek({ bytes, offset }) {
	const byte = bytes[offset];
	if (byte === void 0) throw new EndOfBytes();
	return byte;
}
function take(at, length) {
	if (at.offset + length > at.bytes.length) throw new EndOfBytes();
	at.offset += length;
	return at.bytes.subarray(at.offset - length, at.offset);
}
/** RDB's length encoding; `special` marks the encodings of an integer or of compressed text. */
function readLength(at) {
	const first = take(at, 1).readUInt8();
	switch (first >> 6) {
		case 0: return {
			value: first & 63,
			special: false
		};
		case 1: return {
			value: (first & 63) << 8 | take(at, 1).readUInt8(),
			special: false
		};
		case 2:
			if (first === 128) return {
				value: take(at, 4).readUInt32BE(),
				special: false
			};
			if (first === 129) return {
				value: Number(take(at, 8).readBigUInt64BE()),
				special: false
			};
			throw new RangeError(`unknown length encoding 0x${first.toString(16)}`);
		default: return {
			value: first & 63,
			special: true
		};
	}
}
function readString(at) {
	const { value, special } = readLength(at);
	if (!special) return take(at, value).toString("utf8");
	if (value === 3) {
		const compressed = readLength(at).value;
		readLength(at);
		take(at, compressed);
		return "";
	}
	const width = [
		1,
		2,
		4
	][value];
	if (width === void 0) throw new RangeError(`unknown string encoding ${value}`);
	return String(take(at, width).readIntLE(0, width));
}

// src/service/redis/dump-report.ts
/** Reads the lines of a dump script. Throws `snapshot-unproven` when something that must be there is not. */
function parseDumpReport(text) {
	const all = text.split("\n");
	const after = (word) => all.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
	const [before] = after("before");
	const [later] = after("after");
	const files = after("file").map(parseFile);
	if (before === void 0 || later === void 0 || files.length === 0) throw failure("snapshot-unproven", "the snapshot's report is not whole: its counts or its files are missing");
	const checked = after("magic").length > 0 ? parseCheck(text) : void 0;
	const [was, is] = [changesIn(before), changesIn(later)];
	return {
		before: parseKeyspace(before),
		after: parseKeyspace(later),
		quiet: was !== void 0 && was === is,
		written: parseWritten(after("wrote")[0]),
		files,
		checked
	};
}
/** Dragonfly's counters of all that changes keys, in one word; undefined when it does not have them all. */
function changesIn(line) {
	const counters = [
		"keyspace_mutations",
		"expired_keys",
		"evicted_keys"
	].map((name) => new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1]);
	return counters.includes(void 0) ? void 0 : counters.join();
}
/** The types that Dragonfly counts what it writes by; whatever has none of these is `other`. */
const types = [
	"string",
	"list",
	"set",
	"zset",
	"hash",
	"stream",
	"other"
];
/** Reads `rdb_string:3 rdb_hash:1`. A word that is not known may be no type: then nothing is told. */
function parseWritten(line) {
	const counts = line?.split(" ").filter((word) => word !== "").map((word) => /^rdb_([a-z]+):(\d+)$/.exec(word) ?? []);
	if (counts === void 0 || counts.some(([, type = ""]) => !types.includes(type))) return void 0;
	return counts.reduce((sum, [, , keys]) => sum + Number(keys), 0);
}
/** Reads the lines of `check_rdb`. The sum over the databases must be the number of keys that the checker read. */
function parseCheck(text) {
	const magic = /^magic (\S+)$/m.exec(text)?.[1] ?? "";
	const keys = /^keys (\d+)$/m.exec(text)?.[1];
	const keyspace = [...text.matchAll(/^select (\d+) ([0-9a-f]*)$/gm)].map(([, database, bytes]) => databaseSize(Number(database), Buffer.from(bytes ?? "", "hex"))).filter((one) => one.keys > 0).sort((a, b) => a.database - b.database);
	if (keys === void 0 || totalKeys(keyspace) !== Number(keys)) throw failure("snapshot-unproven", `the snapshot says that it holds ${totalKeys(keyspace)} keys, its checker read ${keys ?? "none"}`);
	return {
		magic,
		keyspace
	};
}
/** After a database's number an RDB file gives the sizes of its two tables: opcode 0xFB, keys, keys with an expiry. */
function databaseSize(database, bytes) {
	const at = {
		bytes,
		offset: 1
	};
	if (bytes[0] !== 251) throw failure("snapshot-unproven", `the snapshot does not say how many keys db${database} has`);
	return {
		database,
		keys: readLength(at).value,
		expires: readLength(at).value
	};
}
function parseFile(line) {
	const [, bytes, sha256, name] = /^(\d+) ([0-9a-f]{64}) (\S+)$/.exec(line) ?? [];
	if (bytes === void 0 || sha256 === void 0 || name === void 0) throw failure("snapshot-unproven", `the snapshot's report has a line that cannot be read: ${line.slice(0, 120)}`);
	return {
		name,
		bytes: Number(bytes),
		sha256
	};
}

// src/service/redis/wait-server.ts
/** Milliseconds that a load may take: ten minutes and one more for every 256 MiB. */
function loadLimit(bytes) {
	return 6e5 + Math.ceil(bytes / 268435456) * 6e4;
}
/** Waits until a server that was just started has loaded its data. Throws when it ends, restarts or takes too long. */
async function waitForServer(service, container, limit) {
	const until = Date.now() + limit;
	for (;;) {
		const { stdout } = await service.host.run(sh`docker inspect -f '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}' ${container.id}`);
		const [state, restarts, code] = stdout.trim().split(" ");
		if (state !== "running" || restarts !== "0") throw failure("load-failed", `${service.name} did not come up: ${state}, ${restarts} restarts, exit code ${code}`, { hint: "See the container's log for what it could not load." });
		const answer = await ask$1(service, container);
		if (answer?.ping === "PONG" && answer.fields.loading === "0") return answer;
		if (Date.now() > until) {
			const reason = answer === void 0 ? "no answer" : explainPing(answer);
			throw failure("load-timeout", `${service.name} did not load its data in ${limit / 1e3} s: ${reason}`);
		}
		await (0, node_timers_promises.setTimeout)(500);
	}
}
/**
* As `askServer`, but waits while the server loads its data, ten minutes and one more for every 256 MiB of it; anything else
* than a server that serves then is an error.
*/
async function askReadyServer(service, container) {
	for (const begun = Date.now();;) {
		const answer = await askServer(service, container);
		const { ping, fields } = answer;
		if (ping === "PONG" && fields.loading === "0") return answer;
		const bytes = Math.max(Number(fields.loading_total_bytes ?? 0), Number(fields.used_memory ?? 0));
		if (!(ping.startsWith("LOADING") || ping === "PONG" && fields.loading === "1") || Date.now() - begun > loadLimit(bytes)) throw failure("redis-not-ready", `${service.name} does not serve: ${explainPing(answer)}`, { hint: hintFor(answer) });
		await (0, node_timers_promises.setTimeout)(500);
	}
}
function hintFor({ ping }) {
	if (!ping.startsWith("NOAUTH") && !ping.startsWith("WRONGPASS")) return "See the container's log.";
	return "Give the container its password as DFLY_requirepass, REDIS_PASSWORD, VALKEY_PASSWORD or REDISCLI_AUTH, or --requirepass.";
}
/** S13: no other running container may have the same data mounted when this one starts. */
async function refuseSharedData(service, container, mount) {
	const { stdout } = await service.host.run(sh`docker ps --no-trunc --format '{{.ID}} {{.Names}} {{.Mounts}}'`);
	const source = mount.volume ?? mount.source;
	for (const line of stdout.split("\n")) {
		const [id, name, mounts = ""] = line.split(" ");
		if (id === container.id || !mounts.split(",").some((one) => one === source || one.startsWith(`${source}/`))) continue;
		throw refusal("data-shared", `the container ${name} also runs on the data of ${service.name} (${source})`, { hint: "Stop it first: two servers on one data directory destroy it." });
	}
}
/** A container that has just been started may refuse the command; that is looked at again. */
async function ask$1(service, container) {
	try {
		return await askServer(service, container);
	} catch (error) {
		if (error instanceof CommandError) return void 0;
		throw error;
	}
}

// src/service/redis/backup-server.ts
/** The folder below the backup directory, whatever the product: the layout names it so. */
const keysFolder = "dragonfly";
/** An hour, for servers whose snapshot takes long. */
const longest$2 = 36e5;
/**
* Snapshot of the live server, copied out, proven, then given its final name. Redis and Valkey: one RDB file (which
* compresses long strings itself: no gzip over it, so that what is stored can be checked as it is). Dragonfly: its own
* format, one file for each thread and a summary.
*/
async function backupServer(service, container, { target, work }) {
	const answer = await askReadyServer(service, container);
	const { product, version } = productOf(answer);
	const base = `${keysFolder}/${service.name}-${target.stamp}`;
	const command = product === "dragonfly" ? dumpSet : dumpFile;
	const { stdout } = await work.step(`dump-${service.name}`, command(service, container, {
		target,
		base,
		kibibytes: needed(answer)
	}), {
		timeout: longest$2,
		assume: assumed(`${service.name}-${target.stamp}`)
	});
	const report = parseDumpReport(stdout);
	const wrong = await work.check(`check-${service.name}`, () => product === "dragonfly" ? checkSet$1(service, report.files) : Promise.resolve([]), []);
	const files = report.files.map(({ name }) => `${keysFolder}/${name}`);
	if (wrong.length > 0) {
		await work.step(`discard-${service.name}`, script("change", remoteScript("store-discard"), [
			service.backups,
			"-",
			...files
		]));
		throw failure("snapshot-incomplete", `the snapshot of ${service.name} is not complete: ${wrong.join("; ")}`);
	}
	await work.step(`publish-${service.name}`, script("change", remoteScript("store-publish"), [service.backups, ...files]));
	return {
		service: service.name,
		image: container.image,
		artifacts: report.files.map(({ name, bytes, sha256 }) => ({
			file: `${keysFolder}/${name}`,
			role: "keys",
			name,
			bytes,
			sha256
		})),
		contents: contents(report, {
			product,
			version
		})
	};
}
function dumpFile(service, container, { base, kibibytes }) {
	const args = [
		container.id,
		portOf(service),
		container.imageId,
		`${service.backups}/${base}.rdb`,
		kibibytes,
		longest$2 / 1e3
	];
	return redisScript("redis-dump", {
		effect: "change",
		args,
		parts: ["redis-client", "redis-check"]
	});
}
function dumpSet(service, container, { target, base, kibibytes }) {
	const set = `infra-actions-${target.id}`;
	const args = [
		container.id,
		portOf(service),
		set,
		`${service.backups}/${base}`,
		kibibytes,
		longest$2 / 1e3
	];
	return redisScript("redis-dump-set", {
		effect: "change",
		args
	});
}
/** Room for a snapshot, KiB: memory in use and as much again in the data directory, where old and new lie side by side. */
function needed({ fields }) {
	return Math.ceil(2 * Number(fields.used_memory ?? 0) / 1024) + 1024;
}
/** The checker's counts are those of the snapshot itself. Dragonfly has none: what it says around the save must do. */
function contents(report, { product, version }) {
	const counts = report.checked ? { keyspace: [...report.checked.keyspace] } : countsOf(report);
	if (totalKeys(report.before) > 0 && totalKeys(report.after) > 0 && keysIn(counts) === 0) throw failure("snapshot-empty", "the server holds keys, the snapshot none");
	return {
		kind: product,
		product,
		version,
		...counts
	};
}
/** The heads of the stored files, read back: the summary whole, of the others as much as the records can take. */
async function checkSet$1(service, files) {
	const parts = await Promise.all(files.map(async ({ name }) => {
		const path = `${service.backups}/${keysFolder}/${name}.partial`;
		const limit = name.endsWith("-summary.dfs") ? 16777216 : 65536;
		const { stdout } = await service.host.run(sh`head -c ${limit} ${path} | base64`);
		return {
			file: name,
			head: Buffer.from(stdout, "base64")
		};
	}));
	return checkSnapshotSet(parts);
}
function assumed(name) {
	return `before \nafter \nfile 1 ${"0".repeat(64)} ${name}.rdb\nmagic REDIS0000\nkeys 0\n`;
}

// src/service/redis/await-quiet.ts
/** Ends a server that must not save: what it has loaded is not what is to stay. */
function killNow({ id }) {
	return change`docker kill ${id} || docker stop -t 0 ${id} || exit; docker wait ${id}`;
}
/** A container that moves files for a restore outlives the death of what started it, by moments: its input has ended. */
async function awaitQuiet(service, container) {
	const sources = container.mounts.filter(({ writable }) => writable).map(({ volume, source }) => volume ?? source);
	for (const until = Date.now() + 6e4;;) {
		const mounting = await service.stack.mounting(sources);
		const { stdout } = await service.host.run(sh`docker ps --quiet --no-trunc --filter label=infra-actions.scratch=1`);
		const ours = mounting.find(({ id }) => id !== container.id && stdout.includes(id));
		if (!ours) return;
		if (Date.now() > until) throw failure("restore-alive", `${ours.name}, which moves files of ${service.name}, does not end`);
		await (0, node_timers_promises.setTimeout)(300);
	}
}

// src/service/redis/data-settings.ts
/** From the server when it answers, else from its arguments, its configuration file, its environment and the product's defaults. */
async function readSettings(service, container, product) {
	const name = container.state === "running" && (await askServer(service, container)).ping !== "" ? "redis-settings" : "redis-settings-stopped";
	const { stdout } = await service.host.run(redisScript(name, {
		effect: "read",
		args: [container.id, portOf(service)]
	}), { timeout: service.config.timeout + 2e4 });
	return judgeSettings(stdout, {
		product,
		container,
		service: service.name
	});
}
/** Reads lines `name value`, the last of a name winning. Refuses what cannot be restored into. */
function judgeSettings(text, { product, container, service }) {
	const lines = text.split("\n").map((line) => /^(\S+) ?(.*)$/.exec(line) ?? []);
	const settings = new Map(lines.flatMap(([, name, value]) => name && value ? [[name, value]] : []));
	const named = settings.get("dir") ?? "/data";
	const directory = named.includes("://") ? named : node_path.posix.resolve(settings.get("workdir") ?? "/", named);
	const file = settings.get("dbfilename") ?? (product === "dragonfly" ? "dump-{timestamp}" : "dump.rdb");
	const mount = [...container.mounts].filter(({ target }) => directory === target || directory.startsWith(`${target.replace(/\/$/, "")}/`)).sort((a, b) => b.target.length - a.target.length)[0];
	if (mount === void 0 || mount.type === "tmpfs") throw refusal("no-data-volume", `the data directory ${directory} of ${service} is not on a volume`, { hint: "Mount a volume there: without one the data goes with the container." });
	if (product === "dragonfly" && directory.includes("summary")) throw refusal("data-directory-name", `Dragonfly never loads from a path with the word summary in it: ${directory}`);
	const on = product !== "dragonfly" && settings.get("appendonly") === "yes";
	const append = {
		directory: settings.get("appenddirname") ?? "appendonlydir",
		file: settings.get("appendfilename") ?? "appendonly.aof"
	};
	return {
		directory,
		file,
		mount,
		append: on ? append : void 0
	};
}
/**
* The names under which a server with these settings loads a backup's files. Redis and Valkey: `dbfilename`. Dragonfly:
* `dbfilename` with fixed text in place of its macros, then what tells the files of a set apart.
*/
function restoredNames(files, { product, settings, id }) {
	if (product !== "dragonfly") return new Map(files.map((file) => [file, settings.file]));
	if (settings.file.endsWith(".rdb")) throw refusal("dbfilename-format", `the server loads only ${settings.file}, the backup is a set of .dfs files`, { hint: "Set dbfilename without an extension." });
	const base = settings.file.replaceAll(/\{[^}]*\}/g, `restore-${id}`);
	return new Map(files.map((file) => [file, `${base}-${/-(\d{4}|summary)\.dfs$/.exec(file)?.[1] ?? "0000"}.dfs`]));
}

// src/service/redis/data-work.ts
/** One of the scripts that work on the data directory for a restore; they get container, image, directory and the work's id first. */
function atData({ container, settings, work }, name, rest) {
	return atDirectory({
		container,
		settings
	}, name, {
		effect: "change",
		args: [work.id, ...rest]
	});
}
/** The same without an id. */
function atDirectory({ container, settings }, name, { effect, args }) {
	const place = [
		container.id,
		container.imageId,
		settings.directory
	];
	return redisScript(name, {
		effect,
		args: [...place, ...args],
		parts: ["redis-data"]
	});
}
/** What a start of the server would load: its file, and its append-only files when they are on. */
function loadArguments({ file, append }) {
	return [
		file,
		append?.directory ?? "-",
		append?.file ?? "appendonly.aof"
	];
}

// src/service/redis/kept-data.ts
const noteSchema$1 = require_libraries.object({
	run: require_libraries.string$1(),
	/** Name of the file that the server loaded; not of what failed. */
	file: require_libraries.string$1().optional(),
	/** Directory of the append-only files that it loaded; null when they were off. */
	append: require_libraries.string$1().nullable(),
	/** What it held; null when it did not serve. */
	atLeast: require_libraries.record(require_libraries.string$1(), require_libraries.number()).nullable()
});
/** Where a work of this id keeps what it replaces, in the data directory. */
function keptFolder(id) {
	return `.pre-restore-${id}`;
}
/** What is written beside data that is moved aside. */
function keptNote(settings, run, held) {
	const { file, append } = settings;
	const note = {
		run,
		file,
		append: append?.directory ?? null,
		atLeast: held?.atLeast ?? null
	};
	return JSON.stringify(note);
}
/** Where a server that serves keeps its data. */
async function liveSettings(service, container) {
	const { product } = productOf(await askReadyServer(service, container));
	return readSettings(service, container, product);
}
/** What restores replaced, oldest first; what does not say when comes first of all. */
async function readKept(service, container, settings) {
	const command = atDirectory({
		container,
		settings
	}, "redis-kept", {
		effect: "read",
		args: []
	});
	return parseKept((await service.host.run(command, { timeout: 12e4 })).stdout);
}
/** Reads the lines of `redis-kept.sh`. Throws when they are not whole. */
function parseKept(text) {
	const all = text.split("\n");
	if (!all.includes("end")) throw failure("host-answer", "the list of replaced data is not whole");
	return all.flatMap((line) => {
		const [, size, folder, at, note] = /^(\d+) (\.(?:pre|failed)-restore-\S+) ?(\S*) ?(.*)$/.exec(line) ?? [];
		if (size === void 0 || folder === void 0) return [];
		const known = Number.isFinite(Date.parse(at ?? "")) ? at : void 0;
		return [{
			folder,
			failed: folder.startsWith(".failed-"),
			bytes: Number(size) * 1024,
			at: known,
			note: readNote(note ?? "")
		}];
	}).toSorted((a, b) => (a.at ?? "").localeCompare(b.at ?? ""));
}
/** The same, as the jobs know it. */
async function replacedKeys(service, container) {
	return (await readKept(service, container, await liveSettings(service, container))).map(({ folder, failed, bytes, at, note }) => ({
		name: folder,
		was: failed ? `keys that a failed restore brought into ${service.name}` : `keys of ${service.name}`,
		at,
		bytes,
		run: note?.run,
		...failed && { failed }
	}));
}
/** Removes such sets of files. Refuses a name that is not, or not any more, of one. */
async function removeKept(service, container, { names, work }) {
	if (names.length === 0) return;
	const settings = await liveSettings(service, container);
	const list = async () => (await readKept(service, container, settings)).map(({ folder }) => folder);
	const known = await list();
	const unknown = names.find((name) => !known.includes(name));
	if (unknown !== void 0) throw refusal("not-replaced", `"${unknown}" of ${service.name} is not data that a restore replaced`);
	const command = atDirectory({
		container,
		settings
	}, "redis-forget", {
		effect: "change",
		args: names
	});
	await work.step(`remove-replaced-${service.name}`, command);
	const left = await work.check(`removed-replaced-${service.name}`, list, []);
	const there = names.filter((name) => left.includes(name));
	if (there.length > 0) throw failure("redis-clean-failed", `still there after removing: ${there.join(", ")}`);
}
/** Undefined when the text is not such a note. */
function readNote(text) {
	try {
		return noteSchema$1.safeParse(JSON.parse(text)).data;
	} catch {
		return;
	}
}

// src/service/redis/find-left.ts
/**
* Which of the folders with these names lie anywhere on the container's volumes: a server that was stopped does not say
* where it keeps its data. Throws `restore-unknown` where they are in more than one directory.
*/
async function findLeft(service, container, names) {
	const places = container.mounts.filter(({ writable, type }) => writable && type !== "tmpfs");
	const args = [
		container.id,
		container.imageId,
		names.join(" "),
		...places.map(({ target }) => target)
	];
	if (places.length === 0) return [];
	const command = redisScript("redis-find", {
		effect: "read",
		args,
		parts: ["redis-data"]
	});
	const found = parseLeft((await service.host.run(command, { timeout: 3e5 })).stdout);
	if (new Set(found.map(({ directory }) => directory)).size < 2) return found;
	throw failure("restore-unknown", `what a restore left of ${service.name} lies in more than one place: ${found.map((one) => node_path.posix.join(one.directory, one.name)).join(", ")}`, { hint: "Move copies of its data directory off its volumes." });
}
/** Reads the lines of `redis-find.sh`. Throws when they are not whole. */
function parseLeft(text) {
	const lines = text.trimEnd().split("\n");
	if (lines.pop() !== "end" || lines.length % 2 !== 0) throw failure("host-answer", "what a restore left is not told");
	return lines.flatMap((path, index) => {
		if (index % 2 !== 0) return [];
		const mark = lines[index + 1] ?? "";
		return [{
			name: node_path.posix.basename(path),
			directory: node_path.posix.dirname(path),
			note: readNote(mark.replace(/^\S+ /, ""))
		}];
	});
}

// src/service/redis/cut-undos.ts
/** The folder of what is taken back goes when the server is proven to have loaded it, and not before. */
const cutUndos = {
	async look(service, container, cut) {
		const { kept, aside } = await find$1(service, container, cut);
		if (kept) return aside ? "half" : "untouched";
		if (aside) return "taken";
		throw failure("undo-unknown", `neither ${cut.name} nor ${keptFolder(cut.id)} is on a volume of ${service.name}`);
	},
	async back(service, container, cut, work) {
		const { aside } = await find$1(service, container, cut);
		if (container.state === "running" || container.state === "restarting") await work.step(`kill-${service.name}`, killNow(container));
		if (!aside) return;
		const { directory, note } = aside;
		const args = [
			...[
				container.id,
				container.imageId,
				directory,
				cut.id
			],
			note?.file ?? "-",
			note?.append ?? "-",
			cut.name
		];
		await work.step(`undo-${service.name}`, redisScript("redis-undo", {
			effect: "change",
			args,
			parts: ["redis-data"]
		}));
	}
};
/** What it was to bring back, and what it had put aside for that. */
async function find$1(service, container, { name, id }) {
	await awaitQuiet(service, container);
	const found = await findLeft(service, container, [name, keptFolder(id)]);
	return {
		kept: found.find((one) => one.name === name),
		aside: found.find((one) => one.name === keptFolder(id))
	};
}

// src/service/redis/fingerprint-server.ts
/**
* Keys without an expiry, by database. Keys with one are left out: time alone removes them, so their number is not a
* fact that a restart must keep. A server that loads its data is waited for.
*/
async function fingerprintServer(service, container) {
	return fingerprintOf(service, await askReadyServer(service, container));
}
/**
* The same of what it has answered. With append-only files off, the snapshot is what it loads, and the next start has to:
* with them on it loads nothing, or what they held at some earlier time, be it as many keys.
*/
function fingerprintOf({ name }, { keyspace, fields }) {
	const counts = [...persistentKeys(keyspace)].map(([database, keys]) => [`db${database}.keys`, keys]);
	return {
		service: name,
		same: fields.aof_enabled === "0" ? { "loads-snapshot": "yes" } : {},
		atLeast: Object.fromEntries(counts)
	};
}

// src/service/redis/probe-server.ts
/** Share of `maxmemory` from which a server that cannot evict is reported. */
const memoryLimit$1 = .9;
/** PING, loading, memory and the last save, in one round trip; a server that does not answer is an answer. */
async function probeServer(service, container) {
	if (container.state !== "running") return {
		state: "unhealthy",
		checks: [failed("ping", `the container is ${container.state}`)],
		details: {}
	};
	try {
		return judge(await askServer(service, container));
	} catch (error) {
		if (error instanceof HostError && error.fault !== "timeout") throw error;
		if (!(error instanceof HostError) && !(error instanceof CommandError)) throw error;
		return {
			state: "unhealthy",
			checks: [failed("ping", messageOf(error))],
			details: {}
		};
	}
}
/** The health that a server's own words show. */
function judge(answer) {
	const { ping, fields, keyspace } = answer;
	const { product, version } = productOf(answer);
	const loading = ping.startsWith("LOADING") || ping === "PONG" && fields.loading !== "0";
	if (ping.startsWith("NOAUTH") || ping.startsWith("WRONGPASS")) return {
		state: "unknown",
		checks: [{
			name: "ping",
			state: "unknown",
			detail: explainPing(answer)
		}],
		details: {}
	};
	if (loading) return {
		state: "degraded",
		checks: [{
			name: "ping",
			state: "warning",
			detail: explainPing(answer)
		}],
		details: {}
	};
	const checks = [ping === "PONG" ? ok("ping", "PONG") : failed("ping", explainPing(answer)), ...ping === "PONG" || fields.used_memory !== void 0 ? [memory(answer), lastSave(answer, product)] : []];
	return {
		state: checks.some((one) => one.state === "failed") ? "unhealthy" : checks.some((one) => one.state === "warning" || one.state === "unknown") ? "degraded" : "healthy",
		checks,
		details: {
			product,
			version,
			keys: totalKeys(keyspace),
			"used-memory-bytes": Number(fields.used_memory ?? 0),
			"max-memory-bytes": Number(fields.maxmemory ?? 0),
			role: fields.role ?? "unknown"
		}
	};
}
function memory({ fields }) {
	const used = Number(fields.used_memory);
	const limit = Number(fields.maxmemory);
	if (!Number.isFinite(used)) return {
		name: "memory",
		state: "unknown",
		detail: "INFO does not tell the memory in use"
	};
	if (!Number.isFinite(limit) || limit === 0) return ok("memory", `${used} bytes in use, no limit set`);
	const detail = `${used} of ${limit} bytes in use (${Math.round(100 * used / limit)} %)`;
	const evicts = (fields.maxmemory_policy ?? "noeviction") !== "noeviction";
	return used / limit < memoryLimit$1 || evicts ? ok("memory", detail) : {
		name: "memory",
		state: "warning",
		detail
	};
}
function lastSave({ fields }, product) {
	if (!(product === "dragonfly" ? Number(fields.last_failed_save ?? 0) > Number(fields.last_success_save ?? 0) : fields.rdb_last_bgsave_status !== void 0 && fields.rdb_last_bgsave_status !== "ok")) return ok("last-save", "no failed save");
	return {
		name: "last-save",
		state: "warning",
		detail: `the last save failed${fields.last_error ? `: ${fields.last_error}` : ""}`
	};
}
function ok(name, detail) {
	return {
		name,
		state: "ok",
		detail
	};
}
function failed(name, detail) {
	return {
		name,
		state: "failed",
		detail
	};
}

// src/service/redis/compare-loaded.ts
/**
* What a server has loaded, against what the snapshot held. `read`: how many keys it says that it read, those that had run
* out by then included; undefined when it does not tell. Fewer than were written is a loss. By database, keys without an
* expiry must be equal to the last; those with one may be fewer, since they go on running out. Where writes went on beside
* the snapshot a database has a range, which counts only when the server does not tell what it read. More keys than
* expected are only somebody's new ones where it does.
*/
function compareLoaded(contents, { keyspace }, read) {
	const total = keysIn(contents);
	const isRanged = contents.earlier !== void 0;
	const isTold = read !== void 0 && !(isRanged && contents.written === void 0);
	const different = isTold && (contents.written === void 0 ? read !== total : read < total) ? [`it read ${read} keys, the snapshot holds ${total}`] : [];
	if (isRanged && isTold) return {
		different,
		caveat: uncertain(contents)
	};
	const found = persistentKeys(keyspace);
	const ranges = keyRanges(contents);
	for (const database of /* @__PURE__ */ new Set([...ranges.keys(), ...found.keys()])) {
		const { least, most } = ranges.get(database) ?? {
			least: 0,
			most: 0
		};
		const is = found.get(database) ?? 0;
		if (is >= least && (is <= most || isTold)) continue;
		const expected = least === most ? `${least}` : `${least} to ${most}`;
		different.push(`db${database} has ${is} keys without expiry instead of ${expected}`);
	}
	return {
		different,
		caveat: isRanged ? unread$1() : void 0
	};
}
function uncertain({ keyspace, earlier = [] }) {
	if (new Set([...keyspace, ...earlier].map(({ database }) => database)).size < 2) return void 0;
	return "All its keys were read; how many of them each database holds is known only from before and after the snapshot, for writes went on.";
}
function unread$1() {
	return "Writes went on beside the snapshot and the server does not tell how many keys it read: their number lies where it lay before and after.";
}

// src/service/redis/keys-read.ts
/**
* How many keys a server that has just started says that it read, those that had run out by then included; undefined when
* it does not tell. Redis and Valkey keep it, Dragonfly writes it into its log.
*/
async function keysRead(service, container, answer) {
	if (productOf(answer).product !== "dragonfly") {
		const { rdb_last_load_keys_loaded: loaded, rdb_last_load_keys_expired: expired } = answer.fields;
		return loaded === void 0 || expired === void 0 ? void 0 : Number(loaded) + Number(expired);
	}
	const command = script("read", remoteScript("redis-keys-read"), [container.id]);
	const { stdout } = await service.host.run(command, { timeout: 6e4 });
	const read = /num keys read: (\d+)/.exec(stdout)?.[1];
	return read === void 0 ? void 0 : Number(read);
}

// src/service/redis/put-back.ts
/**
* After a failure: kills rather than stops, for there is nothing to be saved of data that is wrong; then the old data
* serves again. Always throws, with `reason` and whether the old data is in its place.
*/
async function putBack$1(options, reason) {
	const { service, container, settings, work, reached, from } = options;
	try {
		if (reached === "swapped") await work.step(`kill-${service.name}`, change`docker kill ${container.id} || docker stop -t 0 ${container.id}`);
		const rest = [...loadArguments(settings).slice(0, 2), ...from === void 0 ? [] : [from]];
		await work.step(`undo-${service.name}`, atData(options, "redis-undo", rest));
		if (reached !== "staged" && container.state !== "exited" && container.state !== "created") {
			await work.step(`start-old-${service.name}`, service.stack.start([container]));
			await work.check(`old-serves-${service.name}`, () => waitForServer(service, container, loadLimit(0)), void 0);
		}
	} catch (error) {
		const hint = `The data before the restore lies in ${settings.mount.source}, in ${keptFolder(work.id)} if it was moved.`;
		throw failure("restore-undo-failed", `${messageOf(reason)}; putting the old data back failed, too: ${messageOf(error)}`, {
			hint,
			cause: reason
		});
	}
	throw failure("restore-failed", `${messageOf(reason)}; the data of before the restore is in its place`, { cause: reason });
}

// src/service/redis/restore-checks.ts
/** Half an hour for reading all bytes of a backup. */
const readLimit = 18e5;
/** The keys' part of a manifest; throws when the backup is of another kind of service. */
function contentsOf(service, backup) {
	if (backup.contents.kind !== "postgres") return backup.contents;
	throw refusal("backup-kind", `the backup of ${service} holds a Postgres database, not keys`);
}
/**
* Proves, before anything is touched, that the files are those of the manifest, that they are whole, and that the image
* of the container can load them.
*/
async function checkBackup(service, container, backup) {
	const contents = contentsOf(service.name, backup);
	const files = backup.artifacts.map(({ file }) => file);
	const { stdout } = await service.host.run(script("read", hashingScript("store-verify"), [service.backups, ...files]), { timeout: readLimit });
	const wrong = differences(backup.artifacts, parseVerified(stdout));
	if (wrong.length > 0) throw failure("backup-corrupt", `the backup of ${service.name} is not what it was: ${wrong.join("; ")}`);
	await checkVersion(service, container, contents);
	if (contents.product === "dragonfly") return checkSet(service, files);
	for (const file of files) {
		const path = `${service.backups}/${file}`;
		const check = redisScript("redis-check-file", {
			effect: "read",
			args: [container.imageId, path],
			parts: ["redis-check"]
		});
		const found = parseCheck((await service.host.run(check, { timeout: readLimit })).stdout);
		if (totalKeys(found.keyspace) !== totalKeys(contents.keyspace)) throw failure("backup-corrupt", `${file} holds ${totalKeys(found.keyspace)} keys, its manifest says ${totalKeys(contents.keyspace)}`);
	}
}
async function checkSet(service, files) {
	const parts = await Promise.all(files.map(async (file) => {
		const limit = file.endsWith("-summary.dfs") ? 16777216 : 65536;
		const { stdout } = await service.host.run(sh`head -c ${limit} ${`${service.backups}/${file}`} | base64`);
		return {
			file,
			head: Buffer.from(stdout, "base64")
		};
	}));
	const wrong = checkSnapshotSet(parts);
	if (wrong.length > 0) throw failure("backup-incomplete", `the snapshot of ${service.name} is not complete: ${wrong.join("; ")}`);
}
async function checkVersion(service, container, contents) {
	const { stdout } = await service.host.run(script("read", remoteScript("redis-version"), [container.imageId]));
	const now = parseVersion(stdout);
	if (now === void 0) throw failure("image-unknown", `the image ${container.image} does not tell its product and version: ${stdout.slice(0, 120)}`);
	if (now.product !== contents.product || compareVersions(now.version, contents.version) < 0) throw refusal("backup-version", `the backup is of ${contents.product} ${contents.version}, ${service.name} runs ${now.product} ${now.version}`, { hint: "Restore into the same product in the same or a newer version." });
}
/** Reads `Redis server v=7.0.15 sha=...`, `Valkey server v=8.1.1 ...`, `dragonfly v1.40.1-...`. */
function parseVersion(text) {
	const [, name, version] = /^(redis|valkey) server v=(\d[\d.]*)/im.exec(text) ?? /^(dragonfly) +v?(\d[\d.]*)/im.exec(text) ?? [];
	if (name === void 0 || version === void 0) return void 0;
	return {
		product: name.toLowerCase(),
		version
	};
}
/** Below zero when `a` is older than `b`; only the numbers count. */
function compareVersions(a, b) {
	const [left, right] = [a, b].map((one) => (/^[\d.]+/.exec(one)?.[0] ?? "").split(".").map(Number));
	for (let index = 0; index < Math.max(left?.length ?? 0, right?.length ?? 0); index++) {
		const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
		if (difference !== 0) return difference;
	}
	return 0;
}

// src/service/redis/stop-server.ts
/** Seconds for the save that comes with the stop: a server killed in it loses what it has not written. */
const grace = 600;
/**
* Saves and proves it, then stops: a save that fails on the way out is told by neither Dragonfly's exit code nor
* Docker's. The container is left stopped; throws when the data may not be on disk. Gives the fingerprint before the save.
*/
async function stopServer(service, container, work) {
	const answer = await askReadyServer(service, container);
	const held = fingerprintOf(service, answer);
	const fingerprint = totalKeys(answer.keyspace) > 0 ? held : {
		...held,
		same: {}
	};
	if (container.state === "running") await work.step(`save-${service.name}`, redisScript("redis-save", {
		effect: "change",
		args: [
			container.id,
			portOf(service),
			3600
		]
	}), { timeout: 36e5 });
	await endServer(service, container, work);
	return fingerprint;
}
/** The stop alone, for a server whose data is about to be replaced or is already proven to be on disk. */
async function endServer(service, container, work) {
	const { stdout: since } = await service.host.run(sh`date +%s`);
	await work.step(`stop-${service.name}`, service.stack.stop([container], { graceSeconds: grace }), { timeout: 66e4 });
	const ended = await work.check(`stopped-${service.name}`, () => endOf(service, container, since.trim()), {
		state: "exited",
		code: 0,
		complaint: ""
	});
	if (ended.state === "running" || ended.state === "restarting") throw failure("service-still-runs", `${service.name} is ${ended.state} after it was stopped`);
	if (ended.complaint !== "") throw failure("save-on-stop-failed", `${service.name} could not save its data when it stopped: ${ended.complaint}`, { hint: "Make room in its data directory, start it and try again; the data of its last save is in place." });
	if (ended.code === 137 && container.state === "running") throw failure("service-killed", `${service.name} did not stop within ${grace} s and was killed`);
}
async function endOf(service, container, since) {
	const { stdout } = await service.host.run(sh`docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' ${container.id} || exit 3
docker logs --since ${since} ${container.id} 2>&1 | grep -E ${"Failed to perform snapshot|Errors trying to shut down|Error trying to save the DB"} | tail -n 1`);
	const [first = "", complaint = ""] = stdout.split("\n");
	const [state = "unknown", code = "0"] = first.split(" ");
	if (first === "") throw failure("container-gone", `the container of ${service.name} is gone`);
	return {
		state,
		code: Number(code),
		complaint: complaint.trim()
	};
}

// src/service/redis/restore-server.ts
/** Half an hour: the longest that bringing one file beside the live data may take. */
const stageLimit = 18e5;
/**
* Brings a snapshot back. Everything is checked and staged beside the live data before the server is stopped; what it
* would have loaded is moved aside and kept; when it does not come up with exactly the snapshot's keys, that is put back.
*/
async function restoreServer(service, container, { backup, work }) {
	const contents = contentsOf(service.name, backup);
	await work.check(`check-${service.name}`, () => checkBackup(service, container, backup), void 0);
	const settings = await readSettings(service, container, contents.product);
	const plan = {
		service,
		container,
		backup,
		settings,
		work
	};
	let reached = "staged";
	let caveat;
	try {
		await stage(plan, contents.product);
		await refuseSharedData(service, container, settings.mount);
		reached = "stopped";
		const held = await makeStop(plan);
		reached = "swapped";
		await work.step(`swap-${service.name}`, atData(plan, "redis-swap", [...loadArguments(settings), keptNote(settings, work.id, held)]));
		await work.step(`start-${service.name}`, service.stack.start([container]));
		caveat = await work.check(`loaded-${service.name}`, () => proveLoaded(plan), void 0);
	} catch (error) {
		await putBack$1({
			...plan,
			reached
		}, error);
	}
	const kept = `what ${service.name} held before lies in its data directory (${settings.mount.source}), in ${keptFolder(work.id)}`;
	return {
		tables: 0,
		rows: 0,
		keys: keysIn(contents),
		kept,
		...caveat === void 0 ? {} : { caveat }
	};
}
async function stage({ service, container, backup, settings, work }, product) {
	const files = backup.artifacts.map(({ file }) => file);
	const names = restoredNames(files, {
		product,
		settings,
		id: work.id
	});
	for (const [index, { file, sha256, name }] of backup.artifacts.entries()) {
		const step = files.length === 1 ? `stage-${service.name}` : `stage-${service.name}-${index}`;
		const args = [
			`${service.backups}/${file}`,
			sha256,
			names.get(file) ?? name
		];
		await work.step(step, atData({
			container,
			settings,
			work
		}, "redis-stage", args), { timeout: stageLimit });
	}
}
/** A server that serves saves first, as the way back; one that does not has nothing more to save. */
async function makeStop({ service, container, work }) {
	if (container.state === "running" && (await askServer(service, container)).ping === "PONG") return stopServer(service, container, work);
	await endServer(service, container, work);
}
/** Gives what could not be compared exactly. */
async function proveLoaded({ service, container, backup }) {
	const bytes = backup.artifacts.reduce((sum, one) => sum + one.bytes, 0);
	const answer = await waitForServer(service, container, loadLimit(bytes));
	const read = await keysRead(service, container, answer);
	const { different, caveat } = compareLoaded(contentsOf(service.name, backup), answer, read);
	if (different.length > 0) throw failure("restore-differs", `${service.name} did not load what the backup holds: ${different.join("; ")}`);
	return caveat;
}

// src/service/redis/scratch-server.ts
/** An empty server of the product that made the backup, with as many databases as the backup has, and no password. */
const scratchServer = {
	needs,
	recipe,
	ready
};
/** A snapshot is smaller than the keys in memory. On disk it lies staged, loaded from and, before that, saved empty. */
function needs({ artifacts }) {
	const bytes = artifacts.reduce((sum, one) => sum + one.bytes, 0);
	return {
		disk: bytes * 3 + 64 * 2 ** 20,
		memory: 2 ** 30 + bytes * 8
	};
}
async function recipe(service, _live, { backup, memory }) {
	return {
		environment: {},
		command: command(contentsOf(service.name, backup), memory),
		volumes: ["/data"]
	};
}
/** The arguments after the image; the data directory is told, for an image whose own default is another one. */
function command({ product, keyspace, earlier = [] }, memory) {
	const databases = Math.max(16, ...[...keyspace, ...earlier].map((one) => one.database + 1));
	if (product !== "dragonfly") return [
		`${product}-server`,
		"--dir",
		"/data",
		"--databases",
		String(databases),
		"--appendonly",
		"no"
	];
	return [
		"dragonfly",
		"--logtostderr",
		"--dir=/data",
		"--dbfilename=dump",
		"--version_check=false",
		...[
			"--proactor_threads=2",
			`--maxmemory=${Math.floor(memory * .8)}`,
			`--dbnum=${databases}`
		]
	];
}
async function ready(service, container) {
	try {
		const { ping, fields } = await askServer(service, container);
		return ping === "PONG" && fields.loading === "0";
	} catch (error) {
		if (error instanceof CommandError) return false;
		throw error;
	}
}

// src/service/redis/undo-cut-restore.ts
/**
* Puts back what a restore that was cut off had moved aside. A server that may have loaded what it brought is killed rather
* than stopped, for its save would go over the data of before; what it had loaded is kept as `.failed-restore-ID`.
*/
const cutRestores = {
	async held(service, container, { ids, backup }) {
		if (backup === void 0) return void 0;
		await awaitQuiet(service, container);
		for (const id of ids.toReversed()) {
			const atLeast = (await findLeft(service, container, [keptFolder(id)]))[0]?.note?.atLeast;
			if (atLeast) return {
				service: service.name,
				same: {},
				atLeast
			};
		}
	},
	async undo(service, container, { ids, backup }, work) {
		if (backup === void 0) return;
		await awaitQuiet(service, container);
		for (const id of ids) {
			const look = () => findLeft(service, container, [keptFolder(id), `.restore-${id}`]);
			const [left] = await work.check(`look-${service.name}`, look, []);
			if (left) await putBack({
				service,
				container,
				work
			}, id, left);
		}
	}
};
/** The first folder that was found: the one of what was moved aside, where there is one. */
async function putBack({ service, container, work }, id, { name, directory, note }) {
	if (name === keptFolder(id) && (container.state === "running" || container.state === "restarting")) await work.step(`kill-${service.name}`, killNow(container));
	const args = [
		container.id,
		container.imageId,
		directory,
		id,
		note?.file ?? "-",
		note?.append ?? "-"
	];
	await work.step(`undo-${service.name}`, redisScript("redis-undo", {
		effect: "change",
		args,
		parts: ["redis-data"]
	}));
}

// src/service/redis/undo-restore.ts
/**
* Takes the last restore back: the files that it replaced serve again; those that it had brought, saved first, are kept
* in the same way, so that this can be taken back too. When the old data does not come up with the keys it had, all is
* put back as it was. Throws `nothing-to-undo` when no restore, or none of the work `run`, left anything.
*/
async function undoRestore$1(service, container, work, run) {
	const settings = await liveSettings(service, container);
	const kept = await readKept(service, container, settings);
	const last = kept.findLast(({ at, failed, note }) => at !== void 0 && !failed && (run === void 0 || note?.run === run));
	if (last === void 0) throw refusal("nothing-to-undo", `${service.name} has no data that a restore replaced`, { hint: "Only what a restore kept can be brought back; restore a backup instead." });
	if (last.note?.append && settings.append === void 0) throw refusal("append-only-off", `${service.name} kept append-only files, and does not load any now`, { hint: "Switch appendonly on again for the undo." });
	const place = {
		service,
		container,
		settings,
		work: {
			...work,
			id: freeId(work.id, kept)
		}
	};
	let reached = "staged";
	try {
		await refuseSharedData(service, container, settings.mount);
		reached = "stopped";
		const held = await stopServer(service, container, work);
		reached = "swapped";
		const rest = [
			...loadArguments(settings),
			keptNote(settings, work.id, held),
			last.folder
		];
		await work.step(`take-back-${service.name}`, atData(place, "redis-take-back", rest));
		await work.step(`start-${service.name}`, service.stack.start([container]));
		await work.check(`loaded-${service.name}`, () => proveOld(service, container, last), void 0);
	} catch (error) {
		await putBack$1({
			...place,
			reached,
			from: last.folder
		}, error);
	}
	const empty = atDirectory(place, "redis-taken", {
		effect: "change",
		args: [last.folder]
	});
	await work.step(`taken-${service.name}`, empty);
	return `The keys of ${service.name} as before the restore${last.at === void 0 ? "" : ` of ${last.at}`}; what it had brought is in its data directory, in ${keptFolder(place.work.id)}.`;
}
/** Another undo of the same run has its own folder, which this one must not fill. */
function freeId(id, kept) {
	const taken = (one) => kept.some(({ folder }) => folder === keptFolder(one));
	for (let number = 2, free = id;; number++, free = `${id}-${number}`) if (!taken(free)) return free;
}
/** Keys without an expiry must all be there; of the others, time has removed some. */
async function proveOld(service, container, { bytes, note }) {
	await waitForServer(service, container, loadLimit(bytes));
	if (!note?.atLeast) return;
	const before = {
		service: service.name,
		same: {},
		atLeast: note.atLeast
	};
	const lost = compareFingerprints([before], [await fingerprintServer(service, container)]);
	if (lost.length === 0) return;
	const shown = lost.map((one) => `${one.fact} ${one.after} instead of ${one.before}`);
	throw failure("undo-differs", `${service.name} did not load what the restore had replaced: ${shown.join("; ")}`);
}

// src/service/redis/verify-server.ts
/** Keys against a backup's, and a key written, read and removed. */
async function verifyServer(service, container, backup) {
	const answer = await askServer(service, container);
	if (answer.ping !== "PONG") return [{
		name: "ping",
		state: "failed",
		detail: explainPing(answer)
	}];
	const known = backup !== void 0 && backup.contents.kind !== "postgres" ? backup.contents : void 0;
	return [...known === void 0 ? [] : compareKeys(known, answer.keyspace), await roundTrip(service, container)];
}
/**
* Keys without an expiry by database. Fewer than the backup has at least is a warning, since an application may delete
* keys; none left of some is a failure.
*/
function compareKeys(backup, now) {
	const current = persistentKeys(now);
	const checks = [...keyRanges(backup)].map(([database, { least, most }]) => {
		const found = current.get(database) ?? 0;
		const state = found >= least ? "ok" : found === 0 ? "failed" : "warning";
		const held = least === most ? least : `${least} to ${most}`;
		return {
			name: `keys db${database}`,
			state,
			detail: `${found} keys without expiry, ${held} in the backup`
		};
	});
	return checks.length > 0 ? checks : [{
		name: "keys",
		state: "ok",
		detail: "the backup holds no key without expiry"
	}];
}
async function roundTrip(service, container) {
	const key = `infra-actions:verify:${(0, node_crypto.randomUUID)()}`;
	const { stdout } = await service.host.run(redisScript("redis-round-trip", {
		effect: "read",
		args: [
			container.id,
			portOf(service),
			key
		]
	}), {
		timeout: service.config.timeout + 5e3,
		allow: "any"
	});
	const reply = stdout.trim();
	if (reply === "ok") return {
		name: "round-trip",
		state: "ok",
		detail: "a key was written, read and removed"
	};
	return {
		name: "round-trip",
		state: "failed",
		detail: reply.slice(0, 200) || "no answer"
	};
}

// src/service/redis/redis-driver.ts
/** Redis, Valkey and Dragonfly: one protocol, two ways of saving. Which product answers is asked, not configured. */
function redisDriver() {
	return {
		kinds: [
			"dragonfly",
			"redis",
			"valkey"
		],
		probe: probeServer,
		fingerprint: fingerprintServer,
		stop: stopServer,
		backup: (service, container, target, work) => backupServer(service, container, {
			target,
			work
		}),
		restore: (service, container, backup, work) => restoreServer(service, container, {
			backup,
			work
		}),
		undo: undoRestore$1,
		cutUndos,
		replaced: replacedKeys,
		removeReplaced: (service, container, names, work) => removeKept(service, container, {
			names,
			work
		}),
		cutRestores,
		verify: verifyServer,
		scratch: scratchServer
	};
}

// src/service/service-drivers.ts
/** Every driver there is; each kind of service has exactly one. */
function serviceDrivers() {
	return [
		postgresDriver(),
		redisDriver(),
		httpDriver(),
		coturnDriver(),
		openviduDriver(),
		containerDriver()
	];
}

// src/core/config-json-schema.ts
/** The JSON Schema of `infra.yml`, for editors. Overrides of an environment are the sections with nothing required. */
function configJsonSchema() {
	const schema = require_libraries.toJSONSchema(configSchema, {
		io: "input",
		target: "draft-7"
	});
	const { project: _project, environments, ...sections } = schema.properties ?? {};
	const overrides = optional({
		type: "object",
		properties: sections,
		additionalProperties: false
	});
	return {
		...schema,
		title: "infra.yml",
		required: ["project"],
		properties: {
			...schema.properties,
			environments: {
				...environments,
				additionalProperties: overrides
			}
		}
	};
}
/** The keys that may stand at `path` of `infra.yml`; none where any name may stand. */
function knownKeys$1(path) {
	let schema = configJsonSchema();
	for (const key of path) {
		if (typeof schema !== "object") return [];
		schema = schema.properties?.[String(key)] ?? schema.additionalProperties;
	}
	return typeof schema === "object" ? Object.keys(schema.properties ?? {}) : [];
}
/** The same schema with nothing required at any depth, and no default: an override replaces only what it names. */
function optional(schema) {
	const { required: _required, default: _default, properties, additionalProperties, ...rest } = schema;
	return {
		...rest,
		...properties && { properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, optional(value)])) },
		...additionalProperties !== void 0 && { additionalProperties: typeof additionalProperties === "object" ? optional(additionalProperties) : additionalProperties }
	};
}

// src/core/config-problem.ts
const secretName = /secret|password|passphrase|passwd|token|credential|(access|private|api|ssh)[-_]?key/i;
/** The problems of one zod issue: one for each unknown key, else one. */
function problemsOf$2(issue, data) {
	if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({
		path: [...issue.path, key],
		message: unknownKey(key, knownKeys$1(issue.path))
	}));
	const message = valueAt(data, issue.path) === void 0 ? missing$1(issue) : wrong(issue);
	return [{
		path: issue.path,
		message
	}];
}
/** The value at a path; undefined when nothing is there. */
function valueAt(data, path) {
	return path.reduce((value, key) => typeof value === "object" && value !== null && Object.hasOwn(value, key) ? value[key] : void 0, data);
}
/** What to say of a key that may not stand where it does. */
function unknownKey(key, known) {
	if (secretName.test(key)) return "a secret does not belong in this file: pass it as an input of the action (expected no secrets here)";
	const suggestion = closest(key, known);
	return `unknown key${suggestion ? `, did you mean ${suggestion}?` : ""} (expected one of ${known.join(", ")})`;
}
function missing$1(issue) {
	return `is missing (expected ${issue.code === "invalid_type" ? kind(issue.expected) : "a value"})`;
}
function wrong(issue) {
	switch (issue.code) {
		case "invalid_type": return `is of the wrong type (expected ${kind(issue.expected)})`;
		case "invalid_value": return `is not one of the known values (expected one of ${issue.values.map(String).join(", ")})`;
		case "too_small": return `is too small (expected at least ${issue.minimum}${unit(issue.origin)})`;
		case "too_big": return `is too big (expected at most ${issue.maximum}${unit(issue.origin)})`;
		case "invalid_union": return "is of the wrong type (expected a duration such as 90s, 10m or 1h30m, or whole milliseconds)";
		case "invalid_format": return issue.format === "url" ? "is no URL (expected one such as https://example.org/health)" : `is malformed (expected: ${issue.message})`;
		default: return `is not valid (expected: ${issue.message})`;
	}
}
function kind(expected) {
	return {
		string: "text",
		int: "a whole number",
		number: "a number",
		boolean: "true or false",
		array: "a list",
		object: "a section with keys of its own",
		record: "a section with keys of its own"
	}[expected] ?? expected;
}
function unit(origin) {
	if (origin === "string") return " characters";
	return origin === "array" ? " entries" : "";
}

// src/core/s3-variables.ts
/** The variable behind each key of `backup.s3` that a variable can give. */
const s3VariableNames = {
	bucket: "S3_BUCKET",
	endpoint: "S3_ENDPOINT",
	region: "S3_REGION",
	"force-path-style": "S3_FORCE_PATH_STYLE"
};
/**
* The `backup.s3` section that the `S3_*` variables describe, for a file that has none: as written, still to be
* validated. Undefined unless `S3_ENABLED` is true; an empty variable is absent. `S3_PROVIDER` is only used to notice a missing endpoint.
*/
function s3FromVariables(variables) {
	const enabled = switchOf(variables.S3_ENABLED);
	const pathStyle = switchOf(variables.S3_FORCE_PATH_STYLE);
	const problems = [...enabled === "unclear" ? [problem("S3_ENABLED", "is neither yes nor no (expected true or false)")] : [], ...enabled === true && pathStyle === "unclear" ? [problem("S3_FORCE_PATH_STYLE", "is neither yes nor no (expected true or false)")] : []];
	if (enabled !== true) return {
		section: void 0,
		problems
	};
	const { S3_PROVIDER: provider, S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_REGION: region } = variables;
	if (provider && provider.toLowerCase() !== "aws" && !endpoint) problems.push(problem("S3_ENDPOINT", "is missing, and S3_PROVIDER is not aws (expected the store's URL)"));
	return {
		section: {
			...bucket && { bucket },
			...endpoint && { endpoint },
			...region && { region },
			...typeof pathStyle === "boolean" && { "force-path-style": pathStyle }
		},
		problems
	};
}
function problem(name, message) {
	return {
		path: [name],
		message
	};
}
function switchOf(text) {
	if (!text) return void 0;
	if (/^(true|1|yes|on)$/i.test(text)) return true;
	return /^(false|0|no|off)$/i.test(text) ? false : "unclear";
}

// src/core/yaml-source.ts
var import_dist = require_libraries.require_dist();
/** Reads YAML 1.2. Throws `input` `config-invalid` with `file:line:column` of every syntax error. */
function readYaml(text, file) {
	const lines = new import_dist.LineCounter();
	const document = (0, import_dist.parseDocument)(text, {
		lineCounter: lines,
		merge: true,
		prettyErrors: false
	});
	const place = (offset) => {
		const { line, col } = lines.linePos(offset);
		return `${file}:${line}:${col}`;
	};
	if (document.errors.length > 0) {
		const messages = document.errors.map((error) => `${place(error.pos[0])} ${error.message}`);
		throw inputError("config-invalid", messages.join("\n"), { hint: `Correct the YAML syntax of ${file}.` });
	}
	return {
		data: toData(document, file),
		locate: (path) => {
			const { offset, depth } = walk(document, path);
			return {
				place: place(offset),
				depth
			};
		}
	};
}
function toData(document, file) {
	try {
		return document.toJS();
	} catch (cause) {
		throw inputError("config-invalid", `${file}: ${messageOf(cause)}`, {
			cause,
			hint: "Write it without aliases."
		});
	}
}
function walk(document, path) {
	let node = document.contents;
	let offset = node?.range?.[0] ?? 0;
	for (const [depth, key] of path.entries()) {
		const next = step((0, import_dist.isAlias)(node) ? node.resolve(document) ?? null : node, key);
		if (!next) return {
			offset,
			depth
		};
		node = next.node;
		offset = next.offset;
	}
	return {
		offset,
		depth: path.length
	};
}
function step(node, key) {
	if ((0, import_dist.isSeq)(node)) {
		const item = node.items[Number(key)];
		return item && {
			node: item,
			offset: item.range?.[0] ?? 0
		};
	}
	if (!(0, import_dist.isMap)(node)) return void 0;
	const pair = node.items.find((one) => (0, import_dist.isPair)(one) && (0, import_dist.isScalar)(one.key) && String(one.key.value) === String(key));
	if (!pair || !(0, import_dist.isScalar)(pair.key)) return void 0;
	return {
		node: pair.value,
		offset: pair.key.range?.[0] ?? 0
	};
}

// src/core/parse-config.ts
/** An environment's name becomes a directory on the host. */
const namePattern = /^[a-z0-9][a-z0-9_-]*$/;
const byPlace = new Intl.Collator("en", { numeric: true }).compare;
/**
* Reads `infra.yml` for one environment. The overrides of every environment are checked, not only of the one asked for.
* Throws `input` `config-invalid` with all problems at once, each as `file:line:column path: problem (expected ...)`,
* or `environment-unknown`. No message holds a value of the file.
*/
function parseConfig(text, { file, environment = "production", variables = {} }) {
	const source = readYaml(text, file);
	const root = asSection(source.data);
	if (!root) throw invalid([`${file}:1:1 is no configuration (expected keys such as project and host)`], file);
	const environments = asSection(root.environments) ?? {};
	const names = Object.keys(environments);
	const s3 = s3FromVariables(variables);
	const lines = new Set(s3.problems.map(({ path, message }) => `${path.join(".")} ${message}`));
	let chosen;
	for (const name of names.length === 0 ? [environment] : names) {
		const merged = mergeEnvironment(root, name, s3.section);
		const { config, problems } = check(merged.data, name);
		for (const problem of problems) lines.add(describe(problem, source, {
			name,
			s3FromVariables: merged.s3FromVariables
		}));
		for (const { path, message } of names.length === 0 ? [] : overrideProblems(environments, name)) lines.add(`${source.locate(path).place} ${path.map(String).join(".")}: ${message}`);
		if (name === environment) chosen = config;
	}
	if (lines.size > 0) throw invalid([...lines].sort(byPlace), file);
	if (!namePattern.test(environment)) throw unknownEnvironment(environment, names, file);
	if (!chosen) throw unknownEnvironment(environment, names, file);
	return chosen;
}
/** Sections deep-merged: a map over a map key by key, anything else replaces. */
function merge(base, over) {
	const [below, above] = [asSection(base), asSection(over)];
	if (!below || !above) return over === void 0 ? base : over;
	const keys = /* @__PURE__ */ new Set([...Object.keys(below), ...Object.keys(above)]);
	return Object.fromEntries([...keys].map((key) => [key, merge(below[key], above[key])]));
}
function mergeEnvironment(root, name, s3) {
	const { environments, ...base } = root;
	const overrides = Object.entries(asSection(asSection(environments)?.[name]) ?? {});
	const known = Object.fromEntries(overrides.filter(([key]) => overridableSections.includes(key)));
	const data = merge(withoutEmpty(base), withoutEmpty(known));
	const odd = environments !== null && environments !== void 0 && !asSection(environments) ? { environments } : {};
	const s3FromVariables = s3 !== void 0 && valueAt(data, ["backup", "s3"]) === void 0;
	return {
		data: {
			...s3FromVariables ? merge(data, { backup: { s3 } }) : data,
			...odd
		},
		s3FromVariables
	};
}
/** A section or service with nothing below it (`lock:`) is one without settings of its own. */
function withoutEmpty(section) {
	return Object.fromEntries(Object.entries(section).filter(([, value]) => value !== null).map(([key, value]) => {
		const services = key === "services" ? asSection(value) : void 0;
		const filled = services && Object.entries(services).map(([name, one]) => [name, one ?? {}]);
		return [key, filled ? Object.fromEntries(filled) : value];
	}));
}
function check(data, environment) {
	const parsed = configSchema.safeParse(data);
	if (!parsed.success) return { problems: parsed.error.issues.flatMap((issue) => problemsOf$2(issue, data)) };
	const { environments: _environments, ...sections } = parsed.data;
	return {
		config: {
			...sections,
			environment
		},
		problems: []
	};
}
function overrideProblems(environments, name) {
	const path = ["environments", name];
	if (!namePattern.test(name)) return [{
		path,
		message: "is no name (expected lower-case letters, digits, - and _)"
	}];
	const over = environments[name];
	if (over === void 0 || over === null) return [];
	const section = asSection(over);
	if (!section) return [{
		path,
		message: "is of the wrong type (expected sections such as host and backup)"
	}];
	const fixed = `cannot differ between environments (expected one of ${overridableSections.join(", ")})`;
	return Object.keys(section).filter((key) => !overridableSections.includes(key)).map((key) => ({
		path: [...path, key],
		message: key === "project" || key === "environments" ? fixed : unknownKey(key, overridableSections)
	}));
}
/** Where a problem of the merged sections stands: in the override when that names it, else in the file's own section. */
function describe({ path, message }, source, { name, s3FromVariables }) {
	const variable = s3FromVariables && path[0] === "backup" && path[1] === "s3" && s3VariableNames[String(path[2])];
	if (variable) return `${variable} ${message}`;
	const inBase = source.locate(path);
	const overridePath = [
		"environments",
		name,
		...path
	];
	const inOverride = source.locate(overridePath);
	const whole = inOverride.depth === overridePath.length;
	const nearer = inBase.depth < path.length && inOverride.depth - 2 > inBase.depth;
	return whole || nearer ? `${inOverride.place} ${overridePath.map(String).join(".")}: ${message}` : `${inBase.place} ${path.map(String).join(".")}: ${message}`;
}
function invalid(lines, file) {
	const head = lines.length === 1 ? "" : `${lines.length} problems in the configuration:\n`;
	return inputError("config-invalid", head + lines.join("\n"), { hint: `Correct ${file}; infra.schema.json describes every key and lets an editor check it.` });
}
function unknownEnvironment(environment, names, file) {
	const expected = names.length > 0 ? `one of ${names.join(", ")}` : "lower-case letters, digits, - and _";
	const suggestion = closest(environment, names);
	return inputError("environment-unknown", `input environment: "${environment}" is no environment of ${file} (expected ${expected})`, { hint: suggestion ? `Did you mean ${suggestion}?` : `Add it under environments in ${file}, or give another name.` });
}
function asSection(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? value : void 0;
}

// src/action/load-config.ts
/** Reads the configuration that the inputs name. Throws an input error `config-missing`, or those of `parseConfig`. */
async function loadConfig(inputs, { directory, env }) {
	const path = (0, node_path.resolve)(directory, inputs.config);
	const text = await (0, node_fs_promises.readFile)(path, "utf8").catch((cause) => {
		throw inputError("config-missing", `input \`config\`: ${path} cannot be read: ${messageOf(cause)}`, {
			hint: "Put `actions/checkout` before this step, or give the file's path in the checkout.",
			cause
		});
	});
	return parseConfig(text, {
		file: inputs.config,
		environment: inputs.environment,
		variables: env
	});
}

// src/host/assert-detachable.ts
/**
* Refuses a host whose logind ends everything of our user at the end of its last login (`KillUserProcesses`): detached work
* would die with a lost connection. Root is exempt; a host without systemd has no such thing. What cannot be found out is a
* warning.
*/
async function assertDetachable(host, warn) {
	const { stdout } = await host.run(script("read", remoteScript("login-ends-work"), [""]));
	const { user, ends } = loginEndsWork(stdout);
	if (ends === "no") return;
	if (ends === "unknown") return warn(`${host.name} does not say whether logind ends the work of ${user} with its last login (KillUserProcesses): if it does, a lost connection cuts a step that is under way`);
	throw refusal("login-ends-work", `on ${host.name}, logind kills what ${user} has running when it logs out`, { hint: `A lost connection would cut a backup or a restore. On the host, set KillUserProcesses=no, or KillExcludeUsers=root ${user}, in /etc/systemd/logind.conf, and restart systemd-logind; or log in as root.` });
}
/** Reads what `login-ends-work.sh` printed. */
function loginEndsWork(output) {
	const field = (name) => new RegExp(`^${name} (.*)$`, "m").exec(output)?.[1] ?? "";
	const user = field("user");
	if (field("uid") === "0" || field("systemd") === "no") return {
		user,
		ends: "no"
	};
	const kills = settingOf(output, "KillUserProcesses");
	if (kills === void 0) return {
		user,
		ends: "unknown"
	};
	if (!/^(b true|yes|true|on|1)$/i.test(kills)) return {
		user,
		ends: "no"
	};
	const only = wordsOf(settingOf(output, "KillOnlyUsers"));
	const excluded = wordsOf(settingOf(output, "KillExcludeUsers"));
	return {
		user,
		ends: (only.length === 0 || only.includes(user)) && !excluded.includes(user) ? "yes" : "no"
	};
}
/** The running logind's word before that of its files; of several files the last one's counts. */
function settingOf(output, name) {
	for (const origin of [
		"",
		"loginctl ",
		"file "
	]) {
		const last = [...output.matchAll(new RegExp(`^${origin}${name}=(.*)$`, "gm"))].at(-1)?.[1];
		if (last !== void 0) return last.trim();
	}
}
/** `as 2 "root" "deploy"` of busctl, `root deploy` of the others. */
function wordsOf(text = "") {
	return text.replace(/^as \d+ ?/, "").split(/\s+/).map((word) => word.replaceAll("\"", "")).filter((word) => word !== "");
}

// src/core/lock-rules.ts
const line = /^(?<state>free|held|stale|ahead) (?<number>\d+) (?<held>-?\d+) (?<age>-?\d+) (?<ttl>\d+) (?<boot>this|other) ?(?<record>.*)$/;
/**
* The newest claim, released or not, from a line of `lease_say`; undefined when there never was one. Throws
* `lease-unreadable` on anything else: nobody guesses about a lock.
*/
function parseClaim(text) {
	const trimmed = text.trim();
	if (trimmed === "free 0") return void 0;
	const found = line.exec(trimmed)?.groups;
	if (!found) throw failure("lease-unreadable", `the host's answer about the lock makes no sense: ${trimmed.slice(0, 200)}`);
	const record = parseRecord(found.record ?? "");
	return {
		number: Number(found.number),
		root: record?.root ?? Number(found.number),
		state: found.state,
		holder: record?.holder,
		mark: record?.mark,
		held: Number(found.held) * 1e3,
		age: Number(found.age) * 1e3,
		ttl: Number(found.ttl) * 1e3,
		thisBoot: found.boot === "this"
	};
}
/** The record of a claim: one line of JSON, below the size that is written at once. `root` when it is handed on. */
function leaseRecord(holder, mark, root) {
	const short = (text) => text.slice(0, 400);
	const { run, attempt, actor, purpose, url } = holder;
	return JSON.stringify({
		run: short(run),
		attempt: short(attempt),
		actor: short(actor),
		purpose: short(purpose),
		url: short(url),
		mark,
		root
	});
}
/**
* Whether `claim` is the one that this run knows as `number`, or was handed on from it within this run. What a later
* attempt of the run has made of it is not ours any more.
*/
function isOwnClaim(claim, { run, attempt, number }) {
	return claim.holder?.run === run && claim.root === number && Number(claim.holder.attempt) <= Number(attempt);
}
/** Whether the holder is an earlier attempt of this run: GitHub starts the next one only when that has ended. */
function isEarlierAttempt(claim, { run, attempt }) {
	return claim.holder?.run === run && Number(claim.holder.attempt) < Number(attempt);
}
/** Whether a process of this run may go on with its claim: also when it was released, if that was an earlier attempt. */
function mayGoOn(claim, claimant) {
	return isOwnClaim(claim, claimant) && (claim.state !== "free" || isEarlierAttempt(claim, claimant));
}
/** `backup by alice (run 77, attempt 1, https://...), held for 3m 0s, last renewed 12.0s ago`. */
function describeLease(lease) {
	const { holder } = lease;
	const who = holder ? `${holder.purpose} by ${holder.actor} (run ${holder.run}, attempt ${holder.attempt}${holder.url ? `, ${holder.url}` : ""})` : "a claim whose record is damaged";
	const age = lease.age < 0 ? `renewed ${formatDuration(-lease.age)} in the future: the host's clock was set back` : `last renewed ${formatDuration(lease.age)} ago`;
	return `${who}, held for ${formatDuration(Math.max(0, lease.held))}, ${age}`;
}
function parseRecord(text) {
	let json;
	try {
		json = JSON.parse(text);
	} catch {
		return;
	}
	if (typeof json !== "object" || json === null) return void 0;
	const field = (name) => {
		const value = json[name];
		return typeof value === "string" ? value : "";
	};
	const { root } = json;
	return {
		root: typeof root === "number" ? root : void 0,
		holder: {
			run: field("run"),
			attempt: field("attempt"),
			actor: field("actor"),
			purpose: field("purpose"),
			url: field("url")
		},
		mark: field("mark")
	};
}

// src/remote/call.ts
const files = {
	lease: ["fence", "lease"],
	keeper: [
		"fence",
		"lease",
		"keeper"
	]
};
/**
* Calls a shell function of `lease.sh` or `keeper.sh` with arguments. The text only defines functions before its last
* line, so a text that arrives cut does nothing.
*/
function remoteCall(library, effect, { name, args }) {
	return script(effect, program(files[library]), [name, ...args]);
}
/** The program that runs detached beside a piece of work; it gets the name of its function and the work's folder. */
function jobProgram() {
	return program([...files.keeper, "job"]);
}
/** Ends the script it stands in with code 79 unless claim `number` of the lock `directory` still holds it. */
function fenceText(directory, number) {
	return script("read", `set +f\n${withoutComments(remoteScript("fence"))}\nlease_held "$1" "$2"`, [directory, number]);
}
function program(names) {
	return `${names.map((name) => withoutComments(remoteScript(name))).join("\n")}\n"$@"\n`;
}
/** Less to send with each call. These files have no text of several lines in which a line could begin with `#`. */
function withoutComments(text) {
	return text.replace(/^ *#.*\n/gm, "");
}

// src/host/make-claim.ts
/** Code of the scripts for what the host's file system does not let them do. */
const impossible = 74;
/**
* One try: the claim's number, or who stands in the way; undefined when it is worth trying again at once. It cannot be
* aborted: nobody would know whether the claim stands.
*/
async function makeClaim(host, claim) {
	const { stdout } = await ask(host, claim);
	const [first = "", before] = stdout.trimEnd().split("\n");
	const number = /^claimed (\d+)$/.exec(first)?.[1];
	const other = number && !before ? void 0 : parseClaim(before ?? first);
	if (number) {
		if (other) claim.log?.(`took over the lock, which was stale: ${describeLease(other)}`);
		return Number(number);
	}
	if (!other || other.mark === claim.mark) return other?.number;
	return other.state === "held" || other.state === "ahead" ? other : void 0;
}
async function ask(host, { directory, ttl, record, after }) {
	const seconds = Math.max(4, Math.ceil(ttl / 1e3));
	const command = remoteCall("lease", "change", {
		name: after === void 0 ? "lease_claim" : "lease_pass",
		args: [
			directory,
			seconds,
			record,
			...after === void 0 ? [] : [after]
		]
	});
	try {
		return await host.run(command).catch((error) => {
			if (!(error instanceof HostError) || error.fault !== "lost") throw error;
			return host.run(command);
		});
	} catch (error) {
		throw error instanceof CommandError && error.result.code === impossible ? unusable(directory, error) : error;
	}
}
function unusable(directory, cause) {
	const why = cause.result.stderr.trim().split("\n").at(-1) || "no reason given";
	return failure("lock-unusable", `the lock cannot be kept in ${directory} on the host: ${why}`, {
		hint: "It needs a writable directory with free space, on a file system with hard links (not vfat or exfat): set host.directory in infra.yml to such a place.",
		cause
	});
}

// src/host/open-lease.ts
/** Ttls without progress after which a lease is not renewed any more; then it takes one more to become stale. */
const patience$2 = 3;
/** A lease for a claim that is known to be held; renews it from now on. Made by `claimLease` and `resumeLease`. */
function openLease(host, options) {
	const { directory, number, ttl, log } = options;
	const renew = () => renewLease(host, options);
	const beat = heartbeat(renew, ttl, log);
	return {
		number,
		directory,
		ttl,
		fence: sh`( ${fenceText(directory, number)}) || { echo ${`claim ${number} no longer holds the lock ${directory}`} >&2; exit 79; }`,
		progress: beat.progress,
		renew,
		async release() {
			beat.stop();
			const outcome = await releaseLease(host, options);
			if (outcome === "working") log?.("work of this run still goes on on the host; the lock is released when it ends");
			if (outcome === "not-held") log?.(`claim ${number} did not hold the lock any more`);
		}
	};
}
/** Releases exactly claim `number`, if it holds the lock. */
async function releaseLease(host, { directory, number, work = besideLock(directory) }) {
	const { stdout } = await host.run(remoteCall("keeper", "change", {
		name: "lease_release",
		args: [
			directory,
			number,
			work
		]
	}));
	const outcome = /^(released|working|not-held)\b/.exec(stdout)?.[1];
	if (!outcome) throw failure("lease-unreadable", `releasing the lock ${directory} gave no answer`);
	return outcome;
}
/** Renews claim `number` once. Throws `lease-lost` when it does not hold the lock any more. */
async function renewLease(host, { directory, number }) {
	try {
		await host.run(remoteCall("lease", "change", {
			name: "lease_renew",
			args: [directory, number]
		}));
	} catch (error) {
		throw error instanceof CommandError && error.result.code === 79 ? leaseLost(number, error) : error;
	}
}
/** The error of a run whose lock was taken from it. */
function leaseLost(number, cause) {
	const why = cause instanceof Error && !(cause instanceof CommandError) ? `: ${cause.message}` : "";
	return failure("lease-lost", `this run no longer holds the deployment lock (its claim was number ${number})${why}`, {
		hint: "Another run took the lock over or a person released it: look at that run, then start this one again, whole (`Re-run all jobs`).",
		cause
	});
}
function heartbeat(renew, ttl, log) {
	let seen = performance.now();
	let told = false;
	let renewing = false;
	const timer = setInterval(() => {
		if (renewing) return;
		if (performance.now() - seen > 3 * ttl) {
			if (!told) log?.(`no progress for ${formatDuration(3 * ttl)}: the lock is not renewed until there is some`);
			told = true;
			return;
		}
		told = false;
		renewing = true;
		renew().catch((error) => {
			if (error instanceof AppError && error.code === "lease-lost") clearInterval(timer);
			log?.(`renewing the lock failed: ${messageOf(error)}`);
		}).finally(() => {
			renewing = false;
		});
	}, ttl / 4);
	timer.unref();
	return {
		progress() {
			seen = performance.now();
		},
		stop: () => clearInterval(timer)
	};
}
function besideLock(directory) {
	return `${(0, node_path_posix.dirname)(directory)}/work`;
}

// src/host/read-lease.ts
/** Milliseconds without renewal after which a lease is stale (S4). */
const leaseTtl = 6e5;
/** Who holds the lock of `directory`; undefined when nobody does. */
async function readLease(host, directory) {
	const claim = await readClaim(host, directory);
	return claim?.state === "free" ? void 0 : claim;
}
/** The newest claim of the lock, released or not; undefined when there never was one. */
async function readClaim(host, directory) {
	const { stdout } = await host.run(remoteCall("lease", "read", {
		name: "lease_read",
		args: [directory, leaseTtl / 1e3]
	}));
	return parseClaim(stdout);
}
/** Ends claim `number` for its holder, on a person's word. False when it did not hold the lock. */
async function forceReleaseLease(host, directory, number) {
	const { stdout } = await host.run(remoteCall("lease", "change", {
		name: "lease_force",
		args: [directory, number]
	}));
	return stdout.trim() === "forced";
}

// src/host/claim-lease.ts
/**
* Takes the lock of `directory`, waiting up to `wait`. What an earlier attempt of the same run holds is taken over at
* once. Throws the refusal `lock-held` naming the holder, its run and age; nothing has changed on the host then.
*/
async function claimLease(host, options) {
	const { directory, holder, ttl = leaseTtl, wait = 0, poll = 5e3, mark = (0, node_crypto.randomUUID)(), signal, log } = options;
	const claim = {
		directory,
		ttl,
		record: leaseRecord(holder, mark),
		mark,
		log
	};
	const until = Date.now() + wait;
	let told;
	let after;
	if (options.force) await forceCurrent(host, options);
	for (;;) {
		signal?.throwIfAborted();
		const answer = await makeClaim(host, {
			...claim,
			after
		});
		if (typeof answer === "number") return unlessAborted(openLease(host, {
			...options,
			number: answer,
			ttl
		}), signal);
		after = void 0;
		if (answer && isEarlierAttempt(answer, holder)) {
			log?.(`taking over from an earlier attempt of this run: ${describeLease(answer)}`);
			after = answer.number;
		} else {
			if (answer && Date.now() >= until) throw lockHeld(answer, holder, wait);
			if (answer && answer.number !== told) log?.(`waiting for the deployment lock: ${describeLease(answer)}`);
			told = answer?.number ?? told;
			await (0, node_timers_promises.setTimeout)(answer ? Math.min(poll, Math.max(50, until - Date.now())) : 50, void 0, signal ? { signal } : {});
		}
	}
}
/** Cancelled while the claim was made: its number would never reach anybody who releases it. */
async function unlessAborted(lease, signal) {
	if (!signal?.aborted) return lease;
	await lease.release();
	throw signal.reason;
}
async function forceCurrent(host, { directory, log }) {
	const state = await readLease(host, directory);
	if (state && await forceReleaseLease(host, directory, state.number)) log?.(`the lock was taken by force from ${describeLease(state)}`);
}
function lockHeld(state, { run }, waited) {
	if (state.state === "ahead") return failure("lock-clock", `the deployment lock cannot be judged: ${describeLease(state)}`, { hint: "Set the host's clock right, or make sure that run is dead and release the lock by force (lock action, mode force-release)." });
	const wait = `Wait for that run or cancel it. The lock frees itself ${formatDuration(state.ttl)} after its last renewal; force it only when that run is surely dead.`;
	const pass = `It was taken by this run itself: give its number as input \`lock-number\` (now ${state.root}).`;
	return refusal("lock-held", `the deployment lock is held by ${describeLease(state)}${waited > 0 ? `; waited ${formatDuration(waited)}` : ""}`, { hint: state.holder?.run === run ? pass : wait });
}

// src/host/noticing.ts
/**
* The same host; `notice` is called whenever something asked of it begins or ends, and for each chunk of a file or
* an input on its way: a sign that its user makes progress.
*/
function noticing(host, notice) {
	const noticed = async (work) => {
		notice();
		return work.finally(notice);
	};
	const through = (content) => content instanceof node_stream.Readable ? node_stream.Readable.from(noticedChunks(content, notice), { objectMode: false }) : content;
	const withInput = (options) => options?.input === void 0 ? options : {
		...options,
		input: through(options.input)
	};
	return {
		name: host.name,
		run: (command, options) => noticed(host.run(command, withInput(options))),
		stream(command, options) {
			const running = host.stream(command, withInput(options));
			const done = noticed(running.done);
			done.catch(() => void 0);
			return {
				stdout: running.stdout,
				done
			};
		},
		upload: (content, path, options) => noticed(host.upload(through(content), path, options)),
		download(path, options) {
			notice();
			return through(host.download(path, options));
		},
		[Symbol.asyncDispose]: () => host[Symbol.asyncDispose]()
	};
}
async function* noticedChunks(source, notice) {
	for await (const chunk of source) {
		notice();
		yield chunk;
	}
}

// src/core/progress.ts
/**
* Turns bytes done into lines for the log, `dump: 512.0 MiB of about 1.4 GiB, 85.3 MiB/s, about 10.7s left`: the first
* after 5 seconds, then one every 15, after 10 minutes one a minute; undefined in between. `now` gives milliseconds.
*/
function progressLines(name, progress, now) {
	const start = now();
	let next = start + 5e3;
	return (done) => {
		const time = now();
		if (time < next) return void 0;
		next = time + (time - start < 6e5 ? 15e3 : 6e4);
		const { total, from = 0 } = progress;
		const rate = (done - from) * 1e3 / (time - start);
		const told = `${name}: ${formatBytes(done)}${total === void 0 ? "" : ` of about ${formatBytes(total)}`}`;
		const left = total !== void 0 && rate > 0 && total > done ? (total - done) / rate : void 0;
		const end = left === void 0 ? "" : `, about ${formatDuration(left * 1e3)} left`;
		return `${told}, ${formatBytes(Math.round(rate))}/s${end}`;
	};
}

// src/host/keeper.ts
/** Seconds a follower stays at most: none outlives its client for longer. */
const followSeconds = 50;
/** Seconds between asking work to end and making it. */
const graceSeconds = 10;
/** Starts `script` detached in its folder and follows it. `inputBytes` is the length of what comes on standard input. */
function startCommand(piece, script, inputBytes) {
	const seconds = (milliseconds) => String(Math.max(1, Math.ceil(milliseconds / 1e3)));
	const about = [
		piece.run,
		piece.step,
		piece.journal,
		piece.lock,
		String(piece.claim),
		seconds(piece.ttl),
		seconds(piece.limit),
		String(10)
	];
	if (about.some((line) => line.includes("\n"))) throw inputError("path-newline", `a path on the host holds a line break: ${JSON.stringify(piece.journal)}`, { hint: "Use a base directory without line breaks (host.directory in infra.yml)." });
	const text = `${script.text}\n`;
	return remoteCall("keeper", "change", {
		name: "work_start",
		args: [
			piece.folder,
			about.join("\n"),
			text,
			node_buffer.Buffer.byteLength(text),
			jobProgram(),
			inputBytes ?? "-",
			50
		]
	});
}
/** Follows the output of the work in `folder` from byte `offset` on. */
function followCommand(folder, offset) {
	return remoteCall("keeper", "read", {
		name: "work_follow",
		args: [
			folder,
			offset,
			50
		]
	});
}
/** Splits a follower's standard error into the work's own and the verdict; undefined when it gave none. */
function readVerdict(stderr) {
	const found = /(?:^|\n)keeper: (?:(again|cut|unstarted)|ended (\d+)( limit)?)\n$/.exec(stderr);
	if (!found) return void 0;
	const [, kind, code, limit] = found;
	return {
		stderr: stderr.slice(0, found.index),
		verdict: kind ? { kind } : {
			kind: "ended",
			code: Number(code),
			limit: limit !== void 0
		}
	};
}
/** An input whose length is known and that can be sent again. A stream is read whole: upload what is large instead. */
async function wholeInput(input) {
	if (input instanceof Secret) return {
		input,
		bytes: node_buffer.Buffer.byteLength(input.reveal())
	};
	if (typeof input === "string" || input instanceof Uint8Array) return {
		input,
		bytes: node_buffer.Buffer.byteLength(input)
	};
	const bytes = await readAll(input);
	return {
		input: bytes,
		bytes: bytes.length
	};
}
const inputLimit = 67108864;
async function readAll(stream) {
	const chunks = [];
	let size = 0;
	for await (const chunk of stream) {
		const bytes = node_buffer.Buffer.from(chunk);
		chunks.push(bytes);
		size += bytes.length;
		if (size > inputLimit) throw new RangeError("a step's input is limited to 64 MiB: upload the file, then use its path");
	}
	return node_buffer.Buffer.concat(chunks);
}

// src/host/steady.ts
/** Milliseconds between attempts to reach the host again after the connection was lost: half a minute in all. */
const pauses$2 = [
	500,
	1e3,
	2e3,
	5e3,
	1e4,
	15e3
];
/**
* The same host for somebody who bears a connection that is lost: a look is repeated over a new connection until the host
* answers or half a minute is over; then a `HostError` says what the next run will do. A change is repeated only when nothing of it can have reached the host.
*/
function steady(host, { log, signal } = {}) {
	return {
		...host,
		async run(command, options) {
			for (let failures = 0;; failures += 1) try {
				return await host.run(command, options);
			} catch (error) {
				if (signal?.aborted || !mayRepeat(error, command, options)) throw error;
				const pause = pauses$2[failures];
				if (pause === void 0) throw stayedAway$1(error);
				log?.(`lost sight of ${host.name} (${messageOf(error)}); looking again in ${pause / 1e3} s`);
				await (0, node_timers_promises.setTimeout)(pause, void 0, signal ? { signal } : {});
			}
		}
	};
}
function stayedAway$1(cause) {
	return new HostError("unreachable", `the host could not be reached again: ${messageOf(cause)}`, {
		hint: "Start this again when the host answers: the next run finishes or undoes what this one has begun.",
		cause
	});
}
function mayRepeat(error, { effect }, options = {}) {
	if (!(error instanceof HostError) || options.signal?.aborted || options.input instanceof node_stream.Readable) return false;
	return error.fault === "unreachable" || error.fault === "lost" && effect === "read";
}

// src/host/follow-work.ts
/** Code of a start whose folder is taken: it was started before, and is followed. */
const taken = 75;
/** Code of a follower whose output nobody read. */
const unread = 76;
/**
* Starts work and follows it to its end over as many connections as it takes: each new follower goes on at the byte
* where the last one stopped. Throws a `HostError` when the host stays away (the work goes on there) or on abort.
*/
async function followWork(host, options) {
	const output = collect(options.onLine);
	let command = options.start;
	let failures = 0;
	for (;;) {
		try {
			const seen = output.bytes();
			const end = await attach(host, {
				...options,
				command: command ?? followCommand(options.folder, seen),
				output
			});
			if (end && end.verdict.kind !== "again") return {
				verdict: end.verdict,
				stdout: output.finish(),
				stderr: end.stderr
			};
			failures = 0;
		} catch (error) {
			if (!isPassing(error) || options.signal?.aborted) throw error;
			const pause = pauses$2[failures];
			if (pause === void 0) throw stayedAway(options.folder, error);
			failures += 1;
			options.log?.(`lost sight of the work on the host (${messageOf(error)}); looking again in ${pause / 1e3} s`);
			await (0, node_timers_promises.setTimeout)(pause, void 0, options.signal ? { signal: options.signal } : {});
		}
		command = void 0;
	}
}
/** One follower. Undefined when it had nothing to follow and the next one has. */
async function attach(host, { command, output, ...options }) {
	const running = host.stream(command, {
		timeout: (50 + 30) * 1e3,
		allow: [
			0,
			taken,
			unread
		],
		...options.start === command && options.input !== void 0 ? { input: options.input } : {},
		...options.signal ? { signal: options.signal } : {}
	});
	const [read, done] = await Promise.allSettled([drain(running.stdout, output), running.done]);
	if (done.status === "rejected") throw done.reason;
	if (read.status === "rejected") throw new HostError("lost", "the output of the work broke off", { cause: read.reason });
	if (done.value.code === taken) return void 0;
	const end = readVerdict(done.value.stderr);
	if (!end) throw new HostError("lost", "the follower of the work ended without a word");
	return end;
}
async function drain(stdout, output) {
	for await (const chunk of stdout) output.add(node_buffer.Buffer.from(chunk));
}
function isPassing(error) {
	return error instanceof HostError && [
		"unreachable",
		"lost",
		"did-not-run",
		"timeout"
	].includes(error.fault);
}
function stayedAway(folder, cause) {
	return new HostError("lost", `the host could not be reached again: ${messageOf(cause)}`, {
		hint: `The step goes on by itself on the host (in ${folder}) and keeps the lock. Start this again when the host answers: the next run waits for it, says how it ended and finishes or undoes the rest.`,
		cause
	});
}
function collect(onLine) {
	const chunks = [];
	let size = 0;
	let rest = node_buffer.Buffer.alloc(0);
	const show = (line) => onLine?.(line.toString("utf8").replace(/\r$/, ""));
	return {
		add(chunk) {
			chunks.push(chunk);
			size += chunk.length;
			if (!onLine) return;
			let from = 0;
			for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
				show(node_buffer.Buffer.concat([rest, chunk.subarray(from, end)]));
				rest = node_buffer.Buffer.alloc(0);
				from = end + 1;
			}
			rest = node_buffer.Buffer.concat([rest, chunk.subarray(from)]);
		},
		bytes: () => size,
		finish() {
			if (rest.length > 0) show(rest);
			rest = node_buffer.Buffer.alloc(0);
			return node_buffer.Buffer.concat(chunks).toString("utf8");
		}
	};
}

// src/host/journal.ts
/** Appends a line, whole because it is short and written at once. Times are the host's. */
function journalNote(journal, line) {
	const rest = JSON.stringify(line).slice(1);
	return change`umask 077 && mkdir -p ${(0, node_path_posix.dirname)(journal)} && printf '{"time":"%s",%s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ${rest} >>${journal}`;
}
/** The last lines of the journal; none when there is no journal yet. */
function journalTail(journal) {
	return sh`if [ -e ${journal} ]; then tail -n 1000 ${journal}; fi`;
}
/**
* Reads journal lines, bearing torn ones: a power cut or a full disk can leave them anywhere, and the next line is then
* written right behind what is there of one.
*/
function parseJournal(text) {
	return text.split(/\n|(?=\{"time":")/).flatMap((line) => {
		try {
			const value = JSON.parse(line);
			return typeof value.run === "string" && typeof value.state === "string" ? [value] : [];
		} catch {
			return [];
		}
	});
}
/** Runs that have no outcome, with the last thing known of each: killed, cancelled, or still going on. */
function openRuns(journal) {
	const last = /* @__PURE__ */ new Map();
	for (const line of journal) if (line.step === void 0 && [
		"done",
		"failed",
		"seen"
	].includes(line.state)) last.delete(line.run);
	else last.set(line.run, line);
	return [...last.values()];
}

// src/host/open-work.ts
/** Milliseconds until a step is ended unless told. */
const stepTimeout = 6e5;
/** How often a step is started again when the connection broke before it began. */
const starts = 3;
/** Code of a start that the keeper refused before anything ran. */
const refused$1 = 74;
/** Code of a script that its lease's fence has ended. */
const fenced = 79;
/** The real `Work`: steps run detached on the host, fenced by the lease, one folder and two journal lines each. */
function openWork(host, options) {
	const { id, log, layout, signal } = options;
	if (!/^[A-Za-z0-9._-]{1,80}$/.test(id)) throw new TypeError(`a work id is letters, digits, ".", "_" and "-", not ${id}`);
	const count = { value: 0 };
	return {
		dryRun: false,
		id,
		step: (name, command, step = {}) => runStep(host, options, {
			name,
			command,
			step,
			count
		}),
		async check(name, observe) {
			if (signal?.aborted) throw new HostError("aborted", `cancelled before ${name}`);
			log?.(name);
			return await observe();
		},
		async finish(outcome) {
			await host.run(journalNote(layout.journal, {
				run: id,
				state: outcome
			}));
		}
	};
}
async function runStep(host, options, { name, command, step, count }) {
	const { id, lease, layout, log, signal } = options;
	if (signal?.aborted) throw new HostError("aborted", `cancelled before ${name}`);
	const from = Date.now();
	const given = step.input === void 0 ? void 0 : await wholeInput(step.input);
	const { timeout: limit = stepTimeout } = step;
	const slug = name.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80);
	const script = lines$1(lease.fence, command);
	log?.(name);
	const onLine = lineReader(name, step, log);
	for (let attempt = 1;; attempt += 1) {
		count.value += 1;
		const folder = `${layout.work}/${id}-${count.value}-${slug}`;
		const piece = {
			folder,
			run: id,
			step: slug,
			journal: layout.journal,
			lock: lease.directory,
			claim: lease.number
		};
		const start = startCommand({
			...piece,
			ttl: lease.ttl,
			limit
		}, script, given?.bytes);
		const end = await followWork(host, {
			folder,
			start,
			input: given?.input,
			signal,
			onLine,
			log
		}).catch(async (error) => {
			if (signal?.aborted) throw await leave(host, options, {
				name,
				slug,
				folder
			});
			throw error instanceof CommandError && error.result.code === refused$1 ? notStarted(name, error) : error;
		});
		if (end.verdict.kind === "unstarted" && attempt < starts && end.stderr.trim() === "") continue;
		return await resultOf(end, {
			name,
			command,
			limit,
			lease,
			from,
			folder
		});
	}
}
function lineReader(name, { onLine, progress }, log) {
	if (!progress || !log) return onLine;
	const tell = progressLines(name, progress, Date.now);
	return (line) => {
		onLine?.(line);
		const done = progress.read(line);
		const told = done === void 0 ? progress.say?.(line) : tell(done);
		if (told !== void 0) log(told);
	};
}
async function resultOf({ verdict, stdout, stderr }, context) {
	const { name, command, limit, lease, from, folder } = context;
	if (verdict.kind === "unstarted") throw failure("step-not-started", `${name} could not be started on the host: ${lastLine(stderr) || "no reason given"}`);
	if (verdict.kind === "cut") throw failure("step-cut", `${name} was cut on the host: its process is gone and left no exit code`, { hint: `The process was killed, the host rebooted, or its disk was full. What it wrote is in ${folder} on the host; run this again.` });
	const result = {
		command,
		code: verdict.code,
		stdout,
		stderr,
		duration: Date.now() - from
	};
	if (verdict.code === 0) return result;
	const cause = new CommandError(result);
	if (verdict.limit) throw failure("step-timeout", `${name} was ended after ${formatDuration(limit)}, its limit`, { cause });
	if (verdict.code === fenced) await lease.renew().catch((error) => Promise.reject(lostBy(error, lease)));
	throw cause;
}
/** A step may end with 79 by itself; only when the lease really is lost, it was the fence. */
function lostBy(error, lease) {
	return error instanceof HostError ? error : leaseLost(lease.number, error);
}
async function leave(host, { id, layout, log }, { name, slug, folder }) {
	const note = journalNote(layout.journal, {
		run: id,
		step: slug,
		state: "left"
	});
	await host.run(note, { timeout: 1500 }).catch((error) => {
		log?.(`could not write into the journal that ${name} goes on: ${messageOf(error)}`);
	});
	return new HostError("aborted", `cancelled during ${name}, which goes on by itself on the host`, { hint: `It keeps the lock until it ends (its folder is ${folder}); the next run waits for it.` });
}
function notStarted(name, error) {
	const why = lastLine(error.result.stderr) || `exit code ${error.result.code}`;
	return failure("step-not-started", `${name} could not be started on the host, nothing was done: ${why}`, {
		hint: "Check that the state directory under the base directory is writable and that its disk is not full.",
		cause: error
	});
}
function lastLine(text) {
	return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}

// src/host/plan-work.ts
/**
* The `Work` of a dry run: each step is shown with its exact command text and taken for done, with the standard
* output that it was told to assume; each check takes what it was told to assume. Nothing reaches the host.
*/
function planWork({ id, log }) {
	return {
		dryRun: true,
		id,
		async step(name, command, options = {}) {
			log(`would do ${name}${options.input === void 0 ? "" : " (with data on standard input)"}:`);
			for (const line of shown$2(command)) log(`    ${line}`);
			const stdout = options.assume ?? "";
			for (const line of stdout.split("\n").filter((one) => one !== "")) options.onLine?.(line);
			return {
				command,
				code: 0,
				stdout,
				stderr: "",
				duration: 0
			};
		},
		async check(name, _observe, assumed) {
			log(`would check ${name}`);
			return assumed;
		}
	};
}
function shown$2(command) {
	return command.text.replace(/\n+$/, "").split("\n");
}

// src/host/recording.ts
/**
* A host that is only looked at: reads go to `inner`, changes go to `record` and are taken to have succeeded. An
* upload is recorded as the change it is, without its content.
*/
function recordingHost(inner, record) {
	const assume = (command, options) => ({
		command,
		code: 0,
		stdout: record(command, options) ?? "",
		stderr: "",
		duration: 0
	});
	return {
		name: inner.name,
		async run(command, options) {
			return command.effect === "read" ? inner.run(command, options) : assume(command, options);
		},
		stream(command, options) {
			if (command.effect === "read") return inner.stream(command, options);
			throw failure("stream-of-change", `a change cannot be recorded while it streams: \`${command.text}\``);
		},
		async upload(content, path, options) {
			assume(change`cat >${path}`, {
				input: content,
				...options?.signal && { signal: options.signal }
			});
		},
		download: (path, options) => inner.download(path, options),
		[Symbol.asyncDispose]: () => inner[Symbol.asyncDispose]()
	};
}
/** The guard of a dry run: a change that gets as far as the host is a fault of ours and fails. */
function readOnlyHost(inner) {
	return recordingHost(inner, (command) => {
		throw failure("change-in-dry-run", `a dry run would have changed ${inner.name}: \`${command.text}\``);
	});
}

// src/host/resume-lease.ts
/**
* Goes on with the claim that this run knows as `number`, in another process: an earlier job took it, or an earlier
* attempt, which may have released it. The lock is handed on under a number of its own, so whoever acted under the old
* one is stopped by the fence. Throws `lease-lost` when another run had the lock since.
*/
async function resumeLease(host, options) {
	const { directory, number, holder, log, signal } = options;
	for (;;) {
		signal?.throwIfAborted();
		const claim = await readClaim(host, directory);
		if (!claim || !mayGoOn(claim, {
			...holder,
			number
		})) throw leaseLost(number, new Error(tellNow(claim)));
		const { ttl = claim.ttl } = options;
		const mark = (0, node_crypto.randomUUID)();
		const record = leaseRecord(holder, mark, number);
		const answer = await makeClaim(host, {
			directory,
			ttl,
			record,
			mark,
			after: claim.number,
			log
		});
		if (typeof answer === "number") return openLease(host, {
			...options,
			number: answer,
			ttl
		});
	}
}
/** This run's claim, released or not, when it is the newest one. */
async function readOwnClaim(host, { directory, claimant, number, mark }) {
	const claim = await readClaim(host, directory);
	if (!claim) return void 0;
	return (number === void 0 ? claim.mark === mark : isOwnClaim(claim, {
		...claimant,
		number
	})) ? claim : void 0;
}
/** Releases this run's claim under whatever number it goes now: for a job or a post step that ends what another began. */
async function releaseOwnClaim(host, own) {
	const claim = await readOwnClaim(host, own);
	return claim ? releaseLease(host, {
		...own,
		number: claim.number
	}) : "not-held";
}
function tellNow(claim) {
	if (!claim) return "nobody ever took it";
	return `it ${claim.state === "free" ? "was last held" : "is held"} as number ${claim.number} by ${describeLease(claim)}`;
}

// src/host/settle-work.ts
/** What earlier runs left behind, as it is now. Only looks. */
async function unfinishedWork(host, { layout, except = [] }) {
	const [list, journal] = await Promise.all([host.run(remoteCall("keeper", "read", {
		name: "work_list",
		args: [layout.work]
	})), host.run(journalTail(layout.journal))]);
	const pieces = parseList$1(list.stdout).filter((piece) => !except.includes(piece.run));
	return {
		running: pieces.filter((piece) => piece.state === "running"),
		cut: pieces.filter((piece) => piece.state === "cut"),
		runs: openRuns(parseJournal(journal.stdout)).filter((line) => !except.includes(line.run))
	};
}
/**
* To be called by a new holder of the lock before its first step: waits until no earlier run's work is alive on the
* host, and returns what was cut. Throws the refusal `work-alive` when the wait is over.
*/
async function settleWork(host, options) {
	const { wait = 6e5, poll = 2e3, log, signal } = options;
	const until = Date.now() + wait;
	for (let told = false;; told = true) {
		const found = await unfinishedWork(host, options);
		if (found.running.length === 0) return found;
		const names = found.running.map(({ step, run }) => `${step} of run ${run}`).join(", ");
		if (Date.now() >= until) throw refusal("work-alive", `an earlier run still works on the host: ${names}; waited ${formatDuration(wait)}`, { hint: `Wait for it and start this again. Its folders are ${found.running.map(({ folder }) => `${options.layout.work}/${folder}`).join(" ")}.` });
		if (!told) log?.(`waiting for work of an earlier run: ${names}`);
		await (0, node_timers_promises.setTimeout)(Math.min(poll, Math.max(50, until - Date.now())), void 0, signal ? { signal } : {});
	}
}
/** Marks what was cut as dealt with, so that the next run is not told again. For after the repair. */
async function acknowledgeWork(host, layout, { cut, runs }) {
	const folders = cut.map((piece) => piece.folder);
	const notes = runs.map(({ run }) => journalNote(layout.journal, {
		run,
		state: "seen"
	}));
	const settle = remoteCall("keeper", "change", {
		name: "work_settle",
		args: [layout.work, ...folders]
	});
	await host.run(lines$1(sh`set -e`, ...notes, settle));
}
function parseList$1(text) {
	return text.split("\n").filter((line) => line !== "").map((line) => {
		const [state, claim, code, run = "", step = "", folder] = line.split(" ");
		if (!/^(running|ended|cut|unstarted)$/.test(state ?? "") || folder === void 0) throw failure("work-unreadable", `the host's list of work makes no sense: ${line.slice(0, 200)}`);
		return {
			state,
			claim: Number(claim),
			code: code === "-" ? void 0 : Number(code),
			run,
			step,
			folder
		};
	});
}

// src/host/ssh-channel.ts
/** Milliseconds between two tries of opening a channel while the host has too many open. */
const channelPause = 300;
/** Milliseconds after which a host that opens no channel is given up. */
const channelPatience = 6e4;
/**
* Starts the bootstrap on a connection. Nothing of the command has been sent when it throws. sshd refuses what exceeds
* MaxSessions, and counts a closing session until it is gone: waiting is the cure.
*/
async function openSshChannel(client, name, signal) {
	const until = performance.now() + channelPatience;
	for (;;) try {
		return await exec(client, bootstrap, frameChannel);
	} catch (error) {
		if (!/Channel open failure/.test(messageOf(error))) throw error;
		if (performance.now() > until) throw new HostError("did-not-run", `${name} opens no more sessions on this connection`, {
			hint: "Check MaxSessions in the host's sshd_config; 10 is usual, and 0 forbids commands.",
			cause: error
		});
		await (0, node_timers_promises.setTimeout)(channelPause, void 0, signal && { signal });
	}
}
/**
* `use` gets the channel in the same turn of the event loop: the exit code of a command that ends at once comes in the
* same packet, and an event that nobody listens to yet is gone.
*/
function exec(client, command, use) {
	return new Promise((resolve, reject) => {
		client.exec(command, (error, channel) => error ? reject(error) : resolve(use(client, channel)));
	});
}
function frameChannel(client, channel) {
	const end = {};
	channel.on("exit", (code, signal) => {
		if (typeof code === "number") end.code = code;
		else if (signal) end.signal = signal;
	});
	const closed = new Promise((resolve) => channel.once("close", () => resolve(end)));
	const close = () => {
		for (const stream of [channel, channel.stderr]) stream.unpipe().resume();
		channel.close();
	};
	return {
		stdin: channel,
		stdout: channel,
		stderr: channel.stderr,
		closed,
		close,
		kill(group) {
			close();
			if (group === void 0) return;
			exec(client, `sh -c 'kill -KILL -${group}'`, (_, killer) => killer.resume().end()).catch(() => void 0);
		}
	};
}

// src/host/ssh-error.ts
/** May a second try help? Only when the way broke before the host had said anything of substance. */
function isTransient(error) {
	const { code, level, message } = error;
	if (level === "client-authentication" || level === "agent") return false;
	return code === "ECONNRESET" || code === "EAI_AGAIN" || /^(Connection lost before handshake|No response from server)$/.test(message);
}
/** Does the server have no host key of the types that were asked for? */
function isKeyTypeMissing(error) {
	return /no matching host key format/.test(messageOf(error));
}
/** The error of a connection that was not made, in words that name the host, the input and the remedy. */
function connectionError(error, login) {
	if (error instanceof HostError) return error;
	const { level } = error;
	if (level === "client-authentication" || level === "agent") return refused(login, error);
	const [reason, hint] = reasonOf$1(login, error);
	return new HostError("unreachable", `cannot connect to ${login.name}: ${reason}`, {
		hint,
		cause: error
	});
}
/** The key that was presented is none of those known. */
function hostKeyError(login, presented) {
	const shown = presented.map(({ fingerprint, revoked }) => `${fingerprint}${revoked ? " (revoked)" : ""}`);
	return new HostError("host-key", `the host key of ${login.name} is not the known one: expected ${login.known.accepted.join(" or ")}, presented ${shown.join(" and ") || "no key of a known type"}`, { hint: "Nothing was sent. If the host was reinstalled, compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on its console and update `ssh-known-hosts`; if not, somebody may be in between." });
}
function refused({ name, user, proof }, cause) {
	if ("agent" in proof) return new HostError("authentication", `${name} accepts no key of the SSH agent for user ${user}`, {
		hint: `Load the right key with \`ssh-add\`, and add its public key to ~${user}/.ssh/authorized_keys on the host.`,
		cause
	});
	return new HostError("authentication", `${name} does not accept \`${proof.input}\` (${proof.key.fingerprint}) for user ${user}`, {
		hint: `Add its public key to ~${user}/.ssh/authorized_keys on the host, or correct \`${proof.input}\` or the SSH user.`,
		cause
	});
}
function reasonOf$1({ address, port }, { level, code, message }) {
	const reach = `Check that the host is up and that port ${port} is open to this runner.`;
	if (code === "ENOTFOUND" || code === "EAI_AGAIN") return [`the name ${address} has no address`, "Check the spelling of the SSH host."];
	if (code === "ECONNREFUSED") return [`nothing listens on port ${port}`, `Check the SSH port, and that sshd runs on the host.`];
	if (level === "client-timeout") return ["it gave no answer in time", reach];
	if (level === "handshake") return [message, "The host's sshd offers no algorithm in common; it may be very old or locked down."];
	return [message, reach];
}

// src/host/known-hosts.ts
/** `SHA256:` and the unpadded base64 of the blob's SHA-256, as `ssh-keygen -l` prints it. */
function keyFingerprint(blob) {
	return `SHA256:${(0, node_crypto.createHash)("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}
/**
* Reads the input `ssh-known-hosts`: lines of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) or `SHA256:`
* fingerprints. Throws an input error when it is empty or malformed, or knows nothing of this host.
*/
function knownKeys(text, address, port) {
	const words = text.split(/\s+/).filter(Boolean);
	if (words.length === 0) throw missing(address, port);
	if (words.every((word) => /^(SHA256|MD5):/.test(word))) return fromFingerprints(words);
	const lines = parseKnownHosts(text);
	const host = address.toLowerCase();
	const exact = lines.filter((line) => matches(line.hosts, port === 22 ? host : `[${host}]:${port}`));
	const plain = port === 22 ? [] : lines.filter((line) => matches(line.hosts, host));
	const keys = (from) => from.filter((line) => line.marker === void 0);
	const good = keys(exact).length > 0 ? keys(exact) : keys(plain);
	const bad = lines.filter((line) => line.marker === "@revoked" && (exact.includes(line) || plain.includes(line)));
	const accepted = good.filter((line) => !bad.some((other) => other.blob.equals(line.blob)));
	if (accepted.length === 0) throw unknown(address, port, [...exact, ...plain].some((line) => line.marker === "@cert-authority") ? "authority" : good.length > 0 ? "revoked" : "unknown");
	return {
		types: [...new Set(accepted.map((line) => line.type))],
		accepted: accepted.map((line) => keyFingerprint(line.blob)),
		accepts: (blob) => accepted.some((line) => line.blob.equals(blob)),
		revoked: (blob) => bad.some((line) => line.blob.equals(blob))
	};
}
function parseKnownHosts(text) {
	return text.split("\n").flatMap((raw, index) => {
		const line = raw.trim();
		if (line === "" || line.startsWith("#")) return [];
		const words = line.split(/\s+/);
		const marker = words[0]?.startsWith("@") ? words.shift() : void 0;
		const [hosts, type, key] = words;
		const blob = Buffer.from(key ?? "", "base64");
		if (!(marker === void 0 || marker === "@revoked" || marker === "@cert-authority") || !hosts || !type || blobType(blob) !== type) throw malformed(index + 1);
		return [{
			marker,
			hosts,
			type,
			blob
		}];
	});
}
/** A key blob begins with the length and name of its type (RFC 4253, 6.6). */
function blobType(blob) {
	return blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1") : void 0;
}
/** A negated pattern that fits excludes the whole line, whatever else fits. */
function matches(hosts, name) {
	if (hosts.startsWith("|1|")) {
		const [, , salt = "", hash = ""] = hosts.split("|");
		return (0, node_crypto.createHmac)("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
	}
	const patterns = hosts.toLowerCase().split(",");
	const fits = (pattern) => wildcard(pattern).test(name);
	if (patterns.some((pattern) => pattern.startsWith("!") && fits(pattern.slice(1)))) return false;
	return patterns.some((pattern) => !pattern.startsWith("!") && fits(pattern));
}
function wildcard(pattern) {
	const source = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
	return new RegExp(`^${source}$`);
}
function fromFingerprints(words) {
	if (!words.every((word) => /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(word))) throw inputError("known-hosts-malformed", "`ssh-known-hosts` holds a fingerprint that is not `SHA256:` and 43 characters", { hint: "Take the fingerprint that `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host; MD5 is not accepted." });
	const accepted = words.map((word) => word.replace(/=$/, ""));
	return {
		types: [],
		accepted,
		accepts: (blob) => accepted.includes(keyFingerprint(blob)),
		revoked: () => false
	};
}
function scan(address, port) {
	return `Run \`ssh-keyscan${port === 22 ? "" : ` -p ${port}`} ${address}\` from a network you trust, compare with \`ssh-keygen -l\` on the host, and set the lines as \`ssh-known-hosts\`.`;
}
function missing(address, port) {
	return inputError("known-hosts-missing", `\`ssh-known-hosts\` is empty: no key of ${address} can be trusted`, { hint: scan(address, port) });
}
function malformed(line) {
	return inputError("known-hosts-malformed", `\`ssh-known-hosts\` line ${line} is not a line of a known_hosts file`, { hint: "Expected `host type key`, for example `example.org ssh-ed25519 AAAA...`, or `SHA256:` fingerprints alone." });
}
function unknown(address, port, why) {
	const name = port === 22 ? address : `[${address}]:${port}`;
	const reason = {
		authority: `\`ssh-known-hosts\` knows ${name} only by @cert-authority, and host certificates are not supported`,
		revoked: `\`ssh-known-hosts\` marks every key of ${name} as @revoked`,
		unknown: `\`ssh-known-hosts\` has no line for ${name}`
	}[why];
	return inputError("known-hosts-unknown", reason, { hint: scan(address, port) });
}

// src/host/ssh-link.ts
/** Pauses before the second, third and fourth try of a connection that was reset: sshd sheds load so (MaxStartups). */
const pauses$1 = [
	500,
	1e3,
	2e3
];
const modern = [
	"ssh-ed25519",
	"ecdsa-sha2-nistp256",
	"ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",
	"rsa-sha2-512",
	"rsa-sha2-256"
];
/** Connects and logs in. Throws a `HostError`: `unreachable`, `authentication`, `host-key` or `aborted`. */
async function openLink(login, options) {
	const presented = [];
	for (const algorithms of keyAlgorithms(login.known.types)) try {
		return await persist(login, options, {
			algorithms,
			presented
		});
	} catch (error) {
		options.signal.throwIfAborted();
		if (!(isKeyTypeMissing(error) || error instanceof HostError && error.fault === "host-key")) throw connectionError(error, login);
	}
	throw hostKeyError(login, presented);
}
/**
* Which host key to ask for. Known types first, or the server would present another key that nobody knows; the rest
* after them, so that a mismatch can show what it has instead. A fingerprint has no type: one kind after the other.
*/
function keyAlgorithms(types) {
	if (types.length === 0) return [
		"ssh-ed25519",
		"ecdsa",
		"rsa"
	].map((kind) => modern.filter((one) => one.startsWith(kind)));
	const names = types.flatMap((type) => type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]);
	const known = modern.filter((one) => names.includes(one));
	return [[...known.sort((a, b) => names.indexOf(a) - names.indexOf(b)), ...modern.filter((one) => !known.includes(one))]];
}
async function persist(login, options, attempt) {
	for (const pause of pauses$1) try {
		return await connectOnce(login, options, attempt);
	} catch (error) {
		if (!isTransient(error)) throw error;
		options.log(`connection to ${login.name} broke before the login; next try in ${pause} ms`);
		await (0, node_timers_promises.setTimeout)(pause * (1 + Math.random() / 2), void 0, { signal: options.signal });
	}
	return connectOnce(login, options, attempt);
}
async function connectOnce(login, options, attempt) {
	const { signal, timeouts, log, through } = options;
	const { address, port, user, known, proof } = login;
	signal.throwIfAborted();
	const sock = await through?.();
	let denied = false;
	const ssh = new require_ssh.NodeSSH();
	const ready = ssh.connect({
		...sock ? { sock } : {
			host: address,
			port
		},
		username: user,
		..."agent" in proof ? {
			agent: proof.agent,
			authHandler: ["agent"]
		} : {
			privateKey: proof.key.text,
			authHandler: ["publickey"],
			...proof.passphrase?.reveal() && { passphrase: proof.passphrase.reveal() }
		},
		algorithms: { serverHostKey: [...attempt.algorithms] },
		readyTimeout: timeouts.ready,
		keepaliveInterval: timeouts.keepalive,
		keepaliveCountMax: 3,
		hostVerifier: (blob) => {
			const good = known.accepts(blob) === true && known.revoked(blob) === false;
			if (!good) attempt.presented.push({
				fingerprint: keyFingerprint(blob),
				revoked: known.revoked(blob)
			});
			denied = !good;
			return good;
		}
	});
	const client = ssh.connection;
	const closed = new Promise((resolve) => client.once("close", resolve).once("end", resolve));
	const cut = () => client.destroy();
	client.on("error", (error) => log(`connection to ${login.name}: ${error.message}`));
	signal.addEventListener("abort", cut, { once: true });
	closed.then(() => signal.removeEventListener("abort", cut));
	try {
		await ready;
		client.setNoDelay(true);
	} catch (error) {
		client.destroy();
		signal.throwIfAborted();
		throw denied ? new HostError("host-key", "host key denied") : error;
	}
	return {
		client,
		closed,
		cut
	};
}

// src/host/ssh-key.ts
var import_lib = /* @__PURE__ */ require_rolldown_runtime.__toESM(require_ssh.require_lib(), 1);
/** Reads a private key, bearing with line ends as a secret store leaves them. Throws an input error that names the input. */
function readPrivateKey(key, passphrase) {
	const text = `${key.reveal().replaceAll("\r\n", "\n").trim()}\n`;
	const parsed = import_lib.default.utils.parseKey(text, passphrase?.reveal() || void 0);
	if (parsed instanceof Error) throw unreadable(key.name, parsed.message, passphrase);
	const one = Array.isArray(parsed) ? parsed[0] : parsed;
	if (!one?.isPrivateKey()) throw inputError("ssh-key-invalid", `\`${key.name}\` holds a public key`, { hint: "Set it to the private key: the file without `.pub`, all lines of it." });
	return {
		text,
		fingerprint: keyFingerprint(one.getPublicSSH())
	};
}
/** Tells the cases of ssh2's key parser (lib/protocol/keyParser.js) apart by its messages. */
function unreadable(name, message, passphrase) {
	const passphraseName = passphrase?.name ?? `${name}-passphrase`;
	if (/no passphrase given/i.test(message)) return inputError("ssh-key-encrypted", `\`${name}\` is protected by a passphrase and none is given`, { hint: `Set \`${passphraseName}\`, or use a key without a passphrase.` });
	if (passphrase?.reveal() && /bad passphrase|integrity check|bad decrypt|Malformed private key/i.test(message)) return inputError("ssh-key-passphrase", `\`${passphraseName}\` does not open \`${name}\``, { hint: `Check that both belong together: \`ssh-keygen -y -f KEYFILE\` asks for the passphrase and prints the public key.` });
	return inputError("ssh-key-invalid", `\`${name}\` is not a private key that can be read`, { hint: "Expected an OpenSSH or PEM private key with its `-----BEGIN` and `-----END` lines and all line breaks." });
}

// src/host/ssh-login.ts
/** Throws an input error for what cannot work. */
function checkLogin(login) {
	const { address, user, port = 22 } = login;
	if (!/^[A-Za-z0-9._-]+$/.test(address) && (0, node_net.isIP)(address) === 0) throw inputError("ssh-address", `the SSH host ${JSON.stringify(address)} is neither a name nor an IP address`, { hint: "Give the address alone, without user, port or scheme: `203.0.113.7` or `host.example.org`." });
	if (user === "") throw inputError("ssh-user", "the SSH user is empty", { hint: "Give the account that deploys, for example `deploy`." });
	if (!Number.isInteger(port) || port < 1 || port > 65535) throw inputError("ssh-port", `the SSH port ${port} is not a port`, { hint: "Give a number from 1 to 65535; 22 is usual." });
	const known = knownKeys(login.knownHosts, address, port);
	return {
		address,
		user,
		port,
		name: `${user}@${address}${port === 22 ? "" : `:${port}`}`,
		known,
		proof: proofOf(login)
	};
}
function proofOf({ key, passphrase, agent }) {
	if (key?.reveal().trim()) return {
		key: readPrivateKey(key, passphrase),
		input: key.name,
		passphrase
	};
	if (agent) return { agent };
	throw inputError("ssh-key-missing", `\`${key?.name ?? "ssh-key"}\` is empty`, { hint: "Set it to the private key of the account that deploys, from a secret." });
}

// src/host/ssh.ts
/**
* Connects to a host whose key is known. Throws an input error for what is wrong with the options before anything is
* sent, else a `HostError`. A connection that is lost later fails what was running on it; the next command connects
* anew, under the same checks.
*/
async function connectSsh(options) {
	const { log = () => void 0, jump, timeouts } = options;
	const login = checkLogin(options);
	const hop = jump && checkLogin(jump);
	const ending = new AbortController();
	const signal = AbortSignal.any([ending.signal, ...options.signal ? [options.signal] : []]);
	const link = {
		log,
		signal,
		timeouts: {
			ready: 2e4,
			keepalive: 1e4,
			...timeouts
		}
	};
	const links = keepOne(() => hop ? openThrough(hop, login, link) : openLink(login, link));
	const host = framedHost({
		name: login.name,
		signal,
		open: (stop) => refuseWhenAborted(login.name, signal, () => openChannel(links, login, stop)),
		async dispose() {
			ending.abort();
			await links.end();
		}
	});
	await refuseWhenAborted(login.name, signal, links.get);
	return host;
}
function keepOne(open) {
	let current;
	return {
		async get() {
			if (current) return current;
			const opening = open();
			current = opening;
			const forget = () => {
				if (current === opening) current = void 0;
			};
			opening.then(({ closed }) => closed.then(forget), forget);
			return opening;
		},
		async end() {
			const link = await current?.catch(() => void 0);
			link?.cut();
			await link?.closed;
		}
	};
}
/** A connection may be found dead only when it is used: as nothing was sent on it, another one is as good. */
async function openChannel(links, login, signal) {
	const first = await links.get();
	try {
		return await openSshChannel(first.client, login.name, signal);
	} catch (error) {
		if (error instanceof HostError) throw error;
		signal?.throwIfAborted();
		first.cut();
		await first.closed;
	}
	const second = await links.get();
	return openSshChannel(second.client, login.name, signal).catch((error) => {
		throw connectionError(error, login);
	});
}
async function openThrough(hop, login, options) {
	const first = await openLink(hop, options);
	const through = () => new Promise((resolve, reject) => {
		first.client.forwardOut("127.0.0.1", 0, login.address, login.port, (error, stream) => {
			if (!error) return resolve(stream);
			reject(new HostError("unreachable", `${hop.name} cannot reach ${login.name}: ${error.message}`, {
				hint: "Check that the jump host reaches it and that its sshd allows TCP forwarding (AllowTcpForwarding).",
				cause: error
			}));
		});
	});
	try {
		const link = await openLink(login, {
			...options,
			through
		});
		link.closed.then(first.cut);
		return {
			client: link.client,
			closed: first.closed,
			cut: first.cut
		};
	} catch (error) {
		first.cut();
		throw error;
	}
}
async function refuseWhenAborted(name, signal, act) {
	try {
		signal.throwIfAborted();
		return await act();
	} catch (error) {
		if (!signal.aborted) throw error;
		throw new HostError("aborted", `the connection to ${name} was called off`, { cause: signal.reason });
	}
}

// src/action/open-host.ts
/** Whether anything was given to log in with: without it there is no host to ask. */
function hasAccess(config, inputs, { env }) {
	return config.host.address === "local" || inputs["ssh-key"] !== void 0 || Boolean(env.SSH_AUTH_SOCK);
}
/**
* Opens the connection to the host that the configuration names; `local` is this machine. Throws an input error for what
* cannot work, else a `HostError`.
*/
async function openHost(config, inputs, context) {
	const { log } = context;
	const { address, user, port, jump } = config.host;
	if (address === "local") return localHost({ log: log.info });
	const keys = loginKeys(inputs, context);
	return connectSsh({
		address,
		user,
		port,
		...keys,
		...jump ? { jump: {
			...jump,
			...keys
		} } : {},
		log: log.info
	});
}
function loginKeys(inputs, { env }) {
	const key = inputs["ssh-key"];
	const passphrase = inputs["ssh-passphrase"];
	return {
		...key ? { key } : {},
		...passphrase ? { passphrase } : {},
		...env.SSH_AUTH_SOCK ? { agent: env.SSH_AUTH_SOCK } : {},
		knownHosts: inputs["ssh-fingerprint"] ?? inputs["ssh-known-hosts"] ?? ""
	};
}

// src/action/post-claim.ts
/** A claim that the post step gives back, as main leaves word of it. */
const claimSchema = require_libraries.object({
	directory: require_libraries.string$1(),
	work: require_libraries.string$1(),
	mark: require_libraries.string$1(),
	number: require_libraries.number().optional()
});
const stateName = "claim";
/** Leaves word of a claim for the post step. To be called before it is made: a killed main may never learn its number. */
function rememberClaim(context, claim) {
	context.saveState(stateName, JSON.stringify(claim));
}
/** Main has given it back by itself. */
function forgetClaim(context) {
	context.saveState(stateName, "");
}
/** The post step of an action that takes the lock: gives back what main could not, and only that. */
async function releaseRemembered(inputs, context, state) {
	const word = state(stateName);
	if (word === void 0) return;
	const { number, mark, ...place } = claimSchema.parse(JSON.parse(word));
	const config = await loadConfig(inputs, context);
	await using host = await openHost(config, inputs, context);
	const claimant = {
		run: context.run.id,
		attempt: context.run.attempt
	};
	const outcome = await releaseOwnClaim(host, {
		...place,
		claimant,
		number,
		mark
	});
	context.log.info(`Lock: ${{
		released: "released",
		working: "released when the work on the host ends",
		"not-held": "not held any more"
	}[outcome]}`);
}

// src/action/open-changes.ts
/** For actions that only look: a step would be a bug of ours. */
function lookOnly(host, name) {
	const refuse = () => {
		throw new TypeError(`${name} must not change the host`);
	};
	const work = {
		dryRun: false,
		id: name,
		step: async () => refuse(),
		check: (_name, observe) => observe()
	};
	return {
		host: readOnlyHost(host),
		work,
		lease: void 0,
		end: async () => {}
	};
}
/**
* Takes the lock, or goes on with the one that an earlier job of this run took, waits until the work of earlier runs
* has ended on the host, and says what they left. A dry run takes no lock and shows its steps. Refuses a host on which
* detached work does not outlive its login.
*/
async function openChanges(connection, options) {
	const { inputs, context, name, places } = options;
	const { log, run, signal } = context;
	const id = `${run.id}-${run.attempt}-${name}-${Date.now().toString(36)}`.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(-80);
	const host = steady(connection, {
		log: log.warning,
		signal
	});
	if (options.config.host.address !== "local") await assertDetachable(host, log.warning);
	if (inputs["dry-run"]) {
		const work = planWork({
			id,
			log: log.info
		});
		return {
			host: readOnlyHost(host),
			work,
			lease: void 0,
			end: async () => {}
		};
	}
	const lease = await takeLease(host, options);
	const borrowed = inputs["lock-number"] !== void 0;
	const giveBack = async () => {
		if (borrowed) return;
		await quietly(log.warning, async () => {
			await lease.release();
			forgetClaim(context);
		});
	};
	const released = new Promise((resolve) => {
		signal.addEventListener("abort", () => resolve(giveBack()), { once: true });
	});
	try {
		await settleEarlier(host, options);
	} catch (error) {
		await giveBack();
		throw error;
	}
	const watched = noticing(host, lease.progress);
	const work = openWork(watched, {
		lease,
		layout: places,
		id,
		log: log.step,
		signal
	});
	return {
		host: watched,
		work,
		lease,
		async end(outcome) {
			const goodbye = async () => {
				await quietly(log.warning, () => work.finish(outcome));
				await (signal.aborted ? released : giveBack());
			};
			await (signal.aborted ? inTime(goodbye(), log.warning) : goodbye());
		}
	};
}
async function takeLease(host, { config, inputs, context, name, places }) {
	const { run, log, signal } = context;
	const { lock: directory, work } = places;
	const number = inputs["lock-number"];
	const claim = {
		directory,
		work,
		holder: {
			run: run.id,
			attempt: run.attempt,
			actor: run.actor,
			url: run.url,
			purpose: name
		},
		ttl: config.lock.stale,
		log: log.warning,
		signal
	};
	if (number !== void 0) return resumeLease(host, {
		...claim,
		number
	});
	const mark = (0, node_crypto.randomUUID)();
	rememberClaim(context, {
		directory,
		work,
		mark
	});
	return claimLease(host, {
		...claim,
		mark,
		wait: inputs["lock-wait"] ?? config.lock.wait
	});
}
/** What earlier runs left is waited for and told. What they had begun, their notes on the host tell: the jobs finish it. */
async function settleEarlier(host, { context, places }) {
	const { log, signal } = context;
	const left = await settleWork(host, {
		layout: places,
		log: log.warning,
		signal
	});
	for (const piece of left.cut) log.warning(`run ${piece.run} was cut off in its step ${piece.step}`);
	for (const line of left.runs) log.warning(`run ${line.run} never said how it ended; it last did ${line.step ?? "nothing"}`);
	if (left.cut.length + left.runs.length > 0) await acknowledgeWork(host, places, left);
}
/** Milliseconds that a host which does not answer holds up who was cancelled: after 7.5 s the runner ends what is still there. */
const patience$1 = 5e3;
async function inTime(goodbye, warn) {
	const { promise, resolve } = Promise.withResolvers();
	const timer = setTimeout(() => {
		warn("while closing: the host does not answer; the lock frees itself after its last renewal");
		resolve();
	}, patience$1);
	await Promise.race([goodbye, promise]);
	clearTimeout(timer);
}
async function quietly(warn, act) {
	try {
		await act();
	} catch (error) {
		warn(`while closing: ${messageOf(error)}`);
	}
}

// src/storage/local-store.ts
/** Backups on the host itself: the drivers write the artifacts there, so that `putArtifacts` only proves them. */
function localStore(options) {
	const { host, directory } = options;
	const verify = async (manifest) => {
		const artifacts = artifactsOf$1(manifest);
		const files = artifactFiles(manifest);
		const { stdout } = await host.run(script("read", hashingScript("store-verify"), [directory, ...files]), { timeout: readingTime(artifacts) });
		return differences(artifacts, parseVerified(stdout));
	};
	return {
		name: "local",
		verify,
		probe: () => probe$2(options),
		list: () => list(options),
		async prepare(work) {
			await cleanPartials(directory, work);
		},
		async discard(manifest, work) {
			const args = [
				directory,
				manifestFile(manifest.id),
				...artifactFiles(manifest)
			];
			await work.step("discard-local", script("change", remoteScript("store-discard"), args));
		},
		async putArtifacts(manifest, work) {
			const wrong = await work.check("verify-local", () => verify(manifest), []);
			if (wrong.length > 0) throw corrupt(manifest.id, wrong);
			return {
				bytes: totalBytes(artifactsOf$1(manifest)),
				tier: "sha256",
				objects: []
			};
		},
		async putManifest(manifest, work) {
			const text = printManifest(manifest);
			const args = [
				directory,
				manifestFile(manifest.id),
				Buffer.byteLength(text)
			];
			await work.step("publish-manifest-local", script("change", remoteScript("store-write"), args), { input: text });
		},
		async fetch(manifest, work) {
			const wrong = await work.check("verify-local", () => verify(manifest), []);
			if (wrong.length > 0) throw corrupt(manifest.id, wrong);
		},
		named: async () => namedBy(await texts(options, ["backup"])),
		async below(stems) {
			const { stdout } = await host.run(script("read", remoteScript("store-below"), [directory, ...stems]));
			return stdout.split("\n").filter((line) => line !== "");
		},
		async removeStrays(files, work) {
			await work.step("clean-leftovers", change`cd ${directory} && rm -f ${files}`);
			return /* @__PURE__ */ new Map();
		},
		async remove(manifest, work) {
			const args = [
				directory,
				manifestFile(manifest.id),
				...artifactFiles(manifest)
			];
			await work.step(`remove-local-${manifest.id}`, script("change", remoteScript("store-remove"), args));
		},
		async recordDrill(record, work) {
			const text = printDrillRecord(record);
			const args = [
				directory,
				drillFile(record),
				Buffer.byteLength(text)
			];
			await work.step("record-drill", script("change", remoteScript("store-write"), args), { input: text });
		},
		drills: async () => readDrillRecords(await texts(options, [
			"drill",
			500,
			drillTail(options)
		]), options)
	};
}
/**
* Makes the folders and removes half written files of runs that died, so that they do not take the room of the next
* backup. Only under the lock, and only when no work of an earlier run is still alive.
*/
async function cleanPartials(directory, work) {
	const { stdout } = await work.step("clean-partials", script("change", remoteScript("store-clean"), [directory]));
	return stdout.split("\n").filter((line) => line !== "");
}
async function probe$2({ host, directory }) {
	const { code } = await host.run(sh`d=${directory}; while [ ! -e "$d" ] && [ "$d" != / ]; do d=$(dirname "$d"); done; [ -d "$d" ] && [ -w "$d" ] && [ -x "$d" ]`, { allow: [0, 1] });
	if (code === 0) return;
	throw failure("backup-directory", `${host.name} cannot write into the backup directory ${directory}`, { hint: "Make it, or the directory above it, writable for the user in `host.user`, or set `backup.directory`." });
}
async function list(options) {
	const { manifests, unreadable } = sortManifests(await texts(options, ["backup"]), options);
	return {
		backups: manifests.map((manifest) => ({
			manifest,
			store: "local"
		})),
		unreadable
	};
}
/** The small files beside the manifests whose names begin with a word; all, or by name the newest so many that end in a text. */
async function texts({ host, directory }, which) {
	const command = script("read", remoteScript("store-list"), [`${directory}/${manifestFolder}`, ...which]);
	const { stdout } = await host.run(command, { timeout: 12e4 });
	return parseList(stdout);
}
/** Reads the output of `store-list.sh`. Throws when its last line is missing: then the list is not whole. */
function parseList(text) {
	const lines = text.split("\n");
	if (lines.pop() !== "" || lines.pop() !== "end") throw cutList();
	return lines.map((line) => {
		const [, name, bytes, content] = /^(\S+) (-1|\d+) (\S*)$/.exec(line) ?? [];
		if (name === void 0 || content === void 0) throw cutList();
		return namedText(Buffer.from(name, "base64").toString(), Buffer.from(content, "base64"), Number(bytes));
	});
}
function cutList() {
	return failure("list-cut", "the list of local backups is not whole");
}
function artifactsOf$1({ services }) {
	return services.flatMap(({ artifacts }) => artifacts);
}
function totalBytes(artifacts) {
	return artifacts.reduce((sum, { bytes }) => sum + bytes, 0);
}
function corrupt(id, wrong) {
	return failure("backup-corrupt", `the local files of ${id} are not what their manifest says: ${wrong.join("; ")}`);
}

// src/storage/s3-session.ts
/** Seconds that a URL works: long enough for the batch it is made for, and a fresh one costs nothing. */
const lifetime = 3600;
/** Seconds before the end of a session in which no URL is made any more: it might end in the middle of what it is for. */
const margin = 300;
/** Seconds for which a URL made now may be used: it dies with the session. Throws `s3-session-ended` when that is too soon. */
function urlLife(sessionEnd, now) {
	if (sessionEnd === void 0) return lifetime;
	const left = Math.floor((sessionEnd.getTime() - now) / 1e3) - margin;
	if (left < 60) throw sessionEnded(sessionEnd);
	return Math.min(lifetime, left);
}
/** Throws `s3-session-ended` when the session of the credentials is over. */
function assertSession(sessionEnd, now) {
	if (sessionEnd !== void 0 && sessionEnd.getTime() <= now) throw sessionEnded(sessionEnd);
}
/** The credentials' session ended, at that time if it is known, and nothing here can renew it. */
function sessionEnded(at, cause) {
	const when = at === void 0 ? "has ended" : `ends at ${at.toISOString()}, too soon to go on`;
	return inputError("s3-session-ended", `the session of the S3 credentials ${when}; it cannot be renewed from here`, {
		hint: "Take the credentials in a step right before this one, for longer: with aws-actions/configure-aws-credentials, role-duration-seconds.",
		...cause === void 0 ? {} : { cause }
	});
}
/** The end of the session that the environment's credentials tell, as the AWS tools write it. Throws an input error for one that is no time. */
function sessionEndOf(text) {
	if (!text) return void 0;
	const end = new Date(text);
	if (!Number.isNaN(end.getTime())) return end;
	throw inputError("s3-session-end", `AWS_CREDENTIAL_EXPIRATION is no time: ${JSON.stringify(text.slice(0, 60))}`, { hint: "Give it as 2026-11-21T05:00:00Z, or leave it out." });
}

// src/storage/s3-error.ts
var import_dist_cjs$1 = require_aws.require_dist_cjs$1();
/** Whether S3's answer is that there is no such thing. */
function isMissing(error) {
	return /^(NotFound|NoSuchKey|NoSuchUpload|NoSuchVersion)$/.test(error.name ?? "");
}
/** The status that S3 answered with, of an error of the client library or the clear one made from it; undefined without an answer. */
function statusOf$1(error) {
	const { $metadata } = error instanceof AppError ? error.cause ?? {} : error;
	return $metadata?.httpStatusCode;
}
/** Whether S3 has answered that it does not do what was asked. Its own faults and lost answers say nothing of what was done. */
function isRefused(error) {
	const status = statusOf$1(error) ?? 0;
	return status >= 400 && status < 500 && status !== 408;
}
/** A clear error from one of the client library: which input is wrong, and what to do. */
function explainS3Error(error, doing, place) {
	if (error instanceof AppError) return error;
	const { name = "", code = "", message = "", $metadata } = error;
	const status = $metadata?.httpStatusCode;
	const where = place.endpoint ?? `AWS region ${place.region}`;
	const what = `${doing} (bucket ${place.bucket} at ${where})`;
	if (/^(TokenRefreshRequired|ExpiredToken|ExpiredTokenException)$/.test(name)) return sessionEnded(void 0, error);
	if (/^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|InvalidToken|XAdminUserNotFound)$/.test(name)) return inputError("s3-credentials", `S3 does not accept the credentials: ${name}, while ${what}`, {
		hint: "Check the inputs s3-access-key-id, s3-secret-access-key and, for a session, s3-session-token.",
		cause: error
	});
	if (name === "NoSuchBucket") return inputError("s3-bucket", `there is no bucket ${place.bucket} at ${where}`, {
		hint: "Check backup.s3.bucket and backup.s3.endpoint; the bucket is never made by this suite.",
		cause: error
	});
	if (status === 301 || /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/.test(name)) return inputError("s3-region", `the bucket ${place.bucket} is not in region ${place.region}: ${message || name}`, {
		hint: "Set backup.s3.region to the bucket's region.",
		cause: error
	});
	if (name === "RequestTimeTooSkewed") return failure("s3-clock", `S3 says that the runner's clock is wrong: ${message}`, { cause: error });
	if (status === 401 || status === 403) return inputError("s3-denied", `S3 denied ${what}: ${name}${message ? `: ${message}` : ""}`, {
		hint: "Check the inputs s3-access-key-id and s3-secret-access-key and what this key may do with the bucket and prefix.",
		cause: error
	});
	if (status === void 0) return failure("s3-unreachable", `S3 cannot be reached: ${code || name}${message ? `: ${message}` : ""}, while ${what}`, {
		hint: "Check backup.s3.endpoint and that the runner reaches it.",
		cause: error
	});
	return failure("s3-failed", `S3 answered ${status} ${name}${message ? `: ${message}` : ""}, while ${what}`, { cause: error });
}

// src/storage/s3-client.ts
/**
* A client that works with stores other than AWS: no checksums that they do not know, path style with an endpoint, and
* time-outs that throw (the library's own default is to wait for ever). The credentials never leave this process.
*/
function openBucket(options) {
	const { bucket, region, endpoint, forcePathStyle, credentials, timeout = 6e4 } = options;
	const client = new import_dist_cjs$1.S3Client({
		region,
		...endpoint !== void 0 && { endpoint },
		forcePathStyle: forcePathStyle ?? endpoint !== void 0,
		requestChecksumCalculation: "WHEN_REQUIRED",
		responseChecksumValidation: "WHEN_REQUIRED",
		maxAttempts: 3,
		requestHandler: {
			connectionTimeout: 1e4,
			requestTimeout: 2 * timeout,
			throwOnRequestTimeout: true,
			socketTimeout: timeout
		},
		credentials: {
			accessKeyId: credentials.accessKeyId.reveal(),
			secretAccessKey: credentials.secretAccessKey.reveal(),
			...credentials.sessionToken && { sessionToken: credentials.sessionToken.reveal() }
		}
	});
	const place = {
		bucket,
		endpoint,
		region
	};
	return {
		client,
		place,
		name: bucket,
		sessionEnd: credentials.sessionEnd,
		async call(doing, request) {
			assertSession(credentials.sessionEnd, Date.now());
			try {
				return await request(client);
			} catch (error) {
				throw explainS3Error(error, doing, place);
			}
		}
	};
}

// src/storage/s3-lock.ts
const day$1 = 864e5;
/** The lock that a backup stored now gets. */
function lockFrom(now, { days, mode }) {
	return {
		mode: mode === "compliance" ? "COMPLIANCE" : "GOVERNANCE",
		until: /* @__PURE__ */ new Date(Math.ceil((now + days * day$1) / 1e3) * 1e3)
	};
}
/** What a request that makes an object carries; some stores drop it silently, so that `lockObject` always follows. */
function lockHeaders(lock) {
	return lock ? {
		ObjectLockMode: lock.mode,
		ObjectLockRetainUntilDate: lock.until
	} : {};
}
/** Throws an input error when the bucket has no object lock: it can only be had from the bucket's making on. */
async function requireLockable(bucket) {
	if (await bucket.call("looking for the bucket's object lock", async (client) => {
		try {
			return (await client.send(new import_dist_cjs$1.GetObjectLockConfigurationCommand({ Bucket: bucket.name }))).ObjectLockConfiguration?.ObjectLockEnabled === "Enabled";
		} catch (error) {
			if (/ObjectLockConfigurationNotFound|InvalidRequest|NotImplemented/.test(error.name)) return false;
			throw error;
		}
	})) return;
	throw inputError("s3-lock", `backup.s3.immutable-days is set, and the bucket ${bucket.name} has no object lock`, { hint: "Make a bucket with object lock on, on a store that has it, or leave immutable-days out." });
}
/** Locks one version and believes only what S3 then says of it. Throws `s3-not-locked` when the lock is not there. */
async function lockObject(bucket, { key, versionId }, lock) {
	const version = versionId === void 0 ? {} : { VersionId: versionId };
	await bucket.call(`locking ${key}`, (client) => client.send(new import_dist_cjs$1.PutObjectRetentionCommand({
		Bucket: bucket.name,
		Key: key,
		...version,
		Retention: {
			Mode: lock.mode,
			RetainUntilDate: lock.until
		}
	})));
	const { mode, until } = await lockOf(bucket, {
		key,
		versionId
	});
	if (mode === lock.mode && until !== void 0 && until >= lock.until) return;
	throw failure("s3-not-locked", `${key} is not locked until ${lock.until.toISOString()}: S3 shows ${until ? `${mode} until ${until.toISOString()}` : "no lock"}`, { hint: "Check that the S3 key may do PutObjectRetention and GetObjectRetention." });
}
/** Throws a refusal `s3-locked` when any of these may not be deleted yet: nothing of a backup goes unless all of it can. */
async function assertUnlocked(bucket, objects, { id, now }) {
	for (const one of objects) {
		const why = await whyLocked(bucket, one, now);
		if (why !== void 0) throw refusal("s3-locked", `${id} stays in S3: ${one.key} is ${why}`);
	}
}
/** Why this may not be deleted yet, `locked until ...`; undefined when it may. */
async function whyLocked(bucket, one, now) {
	const { until, held } = await lockOf(bucket, one);
	if (held) return "under a legal hold";
	return until !== void 0 && until.getTime() > now ? `locked until ${until.toISOString()}` : void 0;
}
async function lockOf(bucket, { key, versionId }) {
	return await bucket.call(`looking at the lock of ${key}`, async (client) => {
		const version = versionId === void 0 ? {} : { VersionId: versionId };
		try {
			const found = await client.send(new import_dist_cjs$1.HeadObjectCommand({
				Bucket: bucket.name,
				Key: key,
				...version
			}));
			return {
				mode: found.ObjectLockMode,
				until: found.ObjectLockRetainUntilDate,
				held: found.ObjectLockLegalHoldStatus === "ON"
			};
		} catch (error) {
			if (isMissing(error)) return {
				mode: void 0,
				until: void 0,
				held: false
			};
			throw error;
		}
	});
}

// src/storage/s3-parts.ts
const mebibyte = 1048576;
/** More than these some stores do not take. */
const mostParts = 1e3;
/**
* The size of the parts that a file goes up in: whole MiB, at least 16, and at most 900 parts, since some stores take no
* more than 1000 and some want all parts but the last to be equal.
*/
function partSize(bytes) {
	return Math.max(16, Math.ceil(bytes / 900 / mebibyte)) * mebibyte;
}
/** The parts of a file, in order. */
function planParts(bytes, size = partSize(bytes)) {
	return Array.from({ length: Math.max(1, Math.ceil(bytes / size)) }, (_, index) => ({
		number: index + 1,
		from: index * size,
		bytes: Math.min(size, bytes - index * size)
	}));
}
/** The ETag of an object made of parts: the MD5 of their binary MD5s, and their number. */
function compositeEtag(md5s) {
	const digests = Buffer.concat(md5s.map((md5) => Buffer.from(md5, "hex")));
	return `${(0, node_crypto.createHash)("md5").update(digests).digest("hex")}-${md5s.length}`;
}
/** An ETag without its quotes, which some stores leave out in some answers. */
function bareEtag(etag) {
	return (etag ?? "").replace(/^"|"$/g, "");
}

// src/storage/s3-storage-options.ts
/** What a request that makes an object carries. */
function storageHeaders({ serverSide, kmsKey, storageClass } = {}) {
	return {
		...serverSide && { ServerSideEncryption: serverSide === "kms" ? "aws:kms" : "AES256" },
		...serverSide === "kms" && kmsKey !== void 0 && { SSEKMSKeyId: kmsKey },
		...storageClass !== void 0 && { StorageClass: storageClass }
	};
}
/** How an object is kept otherwise than was asked, one sentence; undefined when it is not. A store that says nothing has not done it. */
function keptOtherwise(asked, found) {
	const { ServerSideEncryption: wanted, SSEKMSKeyId: key, StorageClass: kind } = storageHeaders(asked);
	if (wanted !== void 0 && found.serverSide !== wanted) return `is not encrypted by the store as asked: ${found.serverSide ?? "nothing"} instead of ${wanted}`;
	if (key !== void 0 && found.kmsKey !== void 0 && !found.kmsKey.endsWith(key.split("/").at(-1) ?? key)) return `is encrypted with the key ${found.kmsKey} instead of ${key}`;
	if (kind !== void 0 && (found.storageClass ?? "STANDARD") !== kind) return `is in the storage class ${found.storageClass ?? "STANDARD"} instead of ${kind}`;
}

// src/storage/s3-multipart.ts
/** Begins an upload in parts that suit so many bytes. Nothing is stored by it yet. */
async function beginUpload(bucket, { backup, key, bytes, lock, storage }) {
	const headers = {
		...lockHeaders(lock),
		...storageHeaders(storage)
	};
	const { UploadId: id } = await bucket.call(`beginning the upload of ${key}`, (client) => client.send(new import_dist_cjs$1.CreateMultipartUploadCommand({
		Bucket: bucket.name,
		Key: key,
		...headers
	})));
	if (!id) throw failure("s3-failed", `S3 gave no id for the upload of ${key}`);
	return {
		backup,
		key,
		id,
		size: partSize(bytes)
	};
}
/** The ETags that S3 has for the parts, after their lengths are compared. */
async function listedParts(bucket, { key, id }, parts) {
	const { Parts: listed = [] } = await bucket.call(`listing the parts of ${key}`, (client) => client.send(new import_dist_cjs$1.ListPartsCommand({
		Bucket: bucket.name,
		Key: key,
		UploadId: id,
		MaxParts: 1e3
	})));
	return parts.map(({ number, bytes }) => {
		const found = listed.find((one) => one.PartNumber === number);
		if (found?.Size === bytes && found.ETag !== void 0) return found.ETag;
		throw failure("s3-differs", `S3 holds ${found?.Size ?? "nothing"} of part ${number} of ${key}, ${bytes} bytes were sent`);
	});
}
/**
* Makes the object, never over another where the store can promise that. The answer may be lost, and a second try then finds
* no upload: what counts is what lies there afterwards. False when something lay there already; it may be this very object.
*/
async function complete(bucket, { key, id }, etags) {
	const parts = etags.map((etag, index) => ({
		PartNumber: index + 1,
		ETag: etag
	}));
	const request = {
		Bucket: bucket.name,
		Key: key,
		UploadId: id,
		MultipartUpload: { Parts: parts }
	};
	return await bucket.call(`completing ${key}`, async (client) => {
		try {
			try {
				await client.send(new import_dist_cjs$1.CompleteMultipartUploadCommand({
					...request,
					IfNoneMatch: "*"
				}));
			} catch (error) {
				if (statusOf$1(error) !== 501) throw error;
				await client.send(new import_dist_cjs$1.CompleteMultipartUploadCommand(request));
			}
		} catch (error) {
			if ([409, 412].includes(statusOf$1(error) ?? 0)) return false;
			if (!isMissing(error) || await head(bucket, key, void 0) === void 0) throw error;
		}
		return true;
	});
}
/** What S3 says of an object; undefined when there is none. */
async function head(bucket, key, versionId) {
	return await bucket.call(`looking at ${key}`, async (client) => {
		try {
			const version = versionId === void 0 ? {} : { VersionId: versionId };
			const found = await client.send(new import_dist_cjs$1.HeadObjectCommand({
				Bucket: bucket.name,
				Key: key,
				...version
			}));
			return {
				bytes: found.ContentLength ?? -1,
				etag: bareEtag(found.ETag),
				versionId: found.VersionId === "null" ? void 0 : found.VersionId,
				kept: {
					serverSide: found.ServerSideEncryption,
					kmsKey: found.SSEKMSKeyId,
					storageClass: found.StorageClass
				},
				opaque: found.ServerSideEncryption?.startsWith("aws:kms") === true || found.SSECustomerAlgorithm !== void 0
			};
		} catch (error) {
			if (isMissing(error)) return void 0;
			throw error;
		}
	});
}
/** Takes an upload back by its id; false when S3 knows none, for it was completed, or taken back before. */
async function abortUpload(bucket, { key, id }) {
	return await bucket.call(`taking back the upload of ${key}`, async (client) => {
		try {
			await client.send(new import_dist_cjs$1.AbortMultipartUploadCommand({
				Bucket: bucket.name,
				Key: key,
				UploadId: id
			}));
			return true;
		} catch (error) {
			if (isMissing(error)) return false;
			throw error;
		}
	});
}
/** What was sent so far must not stay and be paid for. The reason for giving up is what the caller has to hear. */
async function abort(bucket, upload, reason) {
	try {
		await abortUpload(bucket, upload);
	} catch {
		if (reason instanceof Error) reason.message += ` (and the upload of ${upload.key} could not be taken back)`;
	}
}

// src/storage/s3-versions.ts
/** The keys that begin with `prefix`, those that were deleted by name too. Throws when the list is not whole. */
async function listVersions(bucket, prefix) {
	const keys = /* @__PURE__ */ new Map();
	let next = {};
	while (next) {
		const from = next;
		const page = await bucket.call("listing the backups' versions", (client) => client.send(new import_dist_cjs$1.ListObjectVersionsCommand({
			Bucket: bucket.name,
			Prefix: prefix,
			...from
		})));
		if (page.Name === void 0 || typeof page.IsTruncated !== "boolean") throw failure("s3-list", `S3's list of versions in bucket ${bucket.name} is not whole: it names no bucket or no end`);
		const found = [...(page.Versions ?? []).map((one) => ({
			...one,
			marker: false
		})), ...(page.DeleteMarkers ?? []).map((one) => ({
			...one,
			marker: true
		}))];
		for (const { Key: key, VersionId: id, LastModified: time, marker } of found) {
			if (key === void 0 || id === void 0 || time === void 0) throw failure("s3-list", "S3's list of versions has one without key, id or time");
			keys.set(key, [...keys.get(key) ?? [], {
				id,
				time: time.getTime(),
				marker
			}]);
		}
		next = page.IsTruncated ? nextPage(page) : void 0;
	}
	return [...keys].map(([key, seen]) => sorted(key, seen));
}
/** Every version and marker of one key. */
async function deleteVersions(bucket, key) {
	const found = (await listVersions(bucket, key)).find((one) => one.key === key);
	for (const versionId of found?.versions ?? []) await deleteObject(bucket, {
		key,
		versionId
	});
	for (const versionId of found?.markers ?? []) await deleteVersion(bucket, {
		key,
		versionId
	});
}
/** Removes one object, or one version of it, and looks whether it is gone: an answer alone is no proof. */
async function deleteObject(bucket, { key, versionId }) {
	await deleteVersion(bucket, {
		key,
		versionId
	});
	if (await head(bucket, key, versionId) !== void 0) throw failure("s3-not-removed", `S3 says that ${key} was removed, and still has it`);
}
/** What a deletion's mark was is not an object that could be looked at. */
async function deleteVersion(bucket, { key, versionId }) {
	const version = versionId === void 0 ? {} : { VersionId: versionId };
	await bucket.call(`removing ${key}`, (client) => client.send(new import_dist_cjs$1.DeleteObjectCommand({
		Bucket: bucket.name,
		Key: key,
		...version
	})));
}
/** Stores list the newest version of a key first: among equal times the later in the list is the older. */
function sorted(key, seen) {
	const oldestFirst = seen.toReversed().sort((a, b) => a.time - b.time);
	const idsOf = (marker) => oldestFirst.filter((one) => one.marker === marker).map(({ id }) => id);
	return {
		key,
		versions: idsOf(false),
		markers: idsOf(true)
	};
}
function nextPage({ NextKeyMarker: key, NextVersionIdMarker: version }) {
	if (key === void 0) throw failure("s3-list", "S3's list of versions has more pages but does not say where");
	return {
		KeyMarker: key,
		...version !== void 0 && { VersionIdMarker: version }
	};
}

// src/storage/s3-list.ts
/**
* The keys that begin with `prefix`. An empty answer with code 200 reads like "nothing there": a page counts only when it
* names the bucket and says whether it is the last.
*/
async function listKeys(bucket, prefix) {
	const keys = [];
	let token;
	do {
		const page = await bucket.call("listing the backups", (client) => client.send(new import_dist_cjs$1.ListObjectsV2Command({
			Bucket: bucket.name,
			Prefix: prefix,
			...token !== void 0 && { ContinuationToken: token }
		})));
		if (page.Name === void 0 || typeof page.IsTruncated !== "boolean") throw failure("s3-list", `S3's list of bucket ${bucket.name} is not whole: it names no bucket or no end`);
		keys.push(...(page.Contents ?? []).flatMap(({ Key }) => Key === void 0 ? [] : [Key]));
		token = page.IsTruncated ? page.NextContinuationToken : void 0;
		if (page.IsTruncated && token === void 0) throw failure("s3-list", "S3's list has more pages but does not say where");
	} while (token !== void 0);
	return keys;
}
/**
* The texts of all manifests. In a locked bucket it is the first version that counts, the locked one: what was put over it
* or hides it later came from somebody else.
*/
async function readManifests({ bucket, options, log }) {
	const prefix = `${options.prefix}${manifestFolder}/backup-`;
	const places = [];
	if (options.immutable) for (const { key, versions, markers } of await listVersions(bucket, prefix)) {
		const [versionId] = versions;
		if (versionId === void 0) continue;
		if (versions.length + markers.length > 1) log(`${key} was ${markers.length > 0 ? "deleted" : "written over"} in S3 after it was stored; its first version is used`);
		places.push({
			key,
			versionId
		});
	}
	else places.push(...(await listKeys(bucket, prefix)).map((key) => ({ key })));
	const manifests = places.filter(({ key }) => key.endsWith(".json"));
	const texts = [];
	for (let at = 0; at < manifests.length; at += 4) {
		const some = manifests.slice(at, at + 4);
		texts.push(...await Promise.all(some.map(async ({ key, versionId }) => namedText(key, await readBytes(bucket, key, versionId)))));
	}
	return texts;
}
/** The text of a small object. Throws when it is not all there. */
async function readText(bucket, key, versionId) {
	return new TextDecoder().decode(await readBytes(bucket, key, versionId));
}
async function readBytes(bucket, key, versionId) {
	const version = versionId === void 0 ? {} : { VersionId: versionId };
	return await bucket.call(`reading ${key}`, async (client) => {
		const { Body, ContentLength } = await client.send(new import_dist_cjs$1.GetObjectCommand({
			Bucket: bucket.name,
			Key: key,
			...version
		}));
		const bytes = await Body?.transformToByteArray() ?? /* @__PURE__ */ new Uint8Array();
		if (ContentLength !== void 0 && bytes.length !== ContentLength) throw failure("s3-cut", `${key} came with ${bytes.length} bytes instead of ${ContentLength}`);
		return bytes;
	});
}
/** Milliseconds: an upload by somebody else that is younger may still be going on. */
const staleAge = 6048e5;
/**
* Takes back uploads below `prefix` that began more than a week ago and never ended: their parts are stored and paid for,
* and no list shows them. Says what it did; S3 keys without the right to do it lose nothing but that.
*/
async function abortStale(bucket, { prefix, now, log }) {
	try {
		for (const { Key: key, UploadId: id, Initiated: began } of await listUploads(bucket)) {
			if (!(key !== void 0 && /^(postgres|dragonfly|metadata)\//.test(key.slice(prefix.length)) && key.startsWith(prefix)) || id === void 0 || began === void 0 || now - began.getTime() < staleAge) continue;
			await bucket.client.send(new import_dist_cjs$1.AbortMultipartUploadCommand({
				Bucket: bucket.name,
				Key: key,
				UploadId: id
			}));
			log(`took back the unfinished upload of ${key} of ${began.toISOString()}`);
		}
	} catch (error) {
		log(`unfinished uploads in S3 could not be looked for: ${error instanceof Error ? error.name : error}`);
	}
}
/** All of the bucket: some stores take only a whole key for a prefix. */
async function listUploads({ client, name }) {
	const found = [];
	let from = {};
	for (;;) {
		const page = await client.send(new import_dist_cjs$1.ListMultipartUploadsCommand({
			Bucket: name,
			...from
		}));
		found.push(...page.Uploads ?? []);
		if (!page.IsTruncated || !page.NextKeyMarker) return found;
		from = {
			KeyMarker: page.NextKeyMarker,
			UploadIdMarker: page.NextUploadIdMarker
		};
	}
}

// src/storage/s3-drills.ts
/** Writes a drill's record as an object of its own beside the manifest, which stays as it is, locked or not. */
async function recordDrill({ bucket, options }, record, work) {
	const key = options.prefix + drillFile(record);
	if (work.dryRun) {
		await work.step("record-drill-s3", change`: write ${`s3://${bucket.name}/${key}`}`);
		return;
	}
	const text = printDrillRecord(record);
	const ContentMD5 = (0, node_crypto.createHash)("md5").update(text).digest("base64");
	if (await head(bucket, key, void 0) !== void 0) throw failure("drill-record", `${key} is in S3 already: a record is never replaced`);
	await bucket.call(`writing ${key}`, (client) => client.send(new import_dist_cjs$1.PutObjectCommand({
		Bucket: bucket.name,
		Key: key,
		Body: text,
		ContentType: "application/json",
		ContentMD5,
		...storageHeaders(options.storage)
	})));
}
/** The newest records by name, which is their time, but for those that are known. */
async function readDrills({ bucket, options }, known = /* @__PURE__ */ new Set()) {
	const [folder, tail] = [`${options.prefix}${manifestFolder}/`, drillTail(options)];
	const idOf = (key) => key.slice(folder.length, -tail.length);
	const newest = (await listKeys(bucket, `${folder}drill-`)).filter((key) => key.endsWith(tail) && /^drill-\d{8}-\d{6}$/.test(idOf(key))).toSorted().slice(-500).filter((key) => !known.has(idOf(key)));
	const texts = [];
	for (let at = 0; at < newest.length; at += 8) texts.push(...await Promise.all(newest.slice(at, at + 8).map(async (key) => ({
		name: key,
		text: await readText(bucket, key)
	}))));
	return readDrillRecords(texts, options);
}

// src/storage/openpgp-session-key.ts
/** Bytes from the beginning of an encrypted file that hold its session key, with room to spare. */
const headerBytes = 131072;
/**
* The session key of one encrypted file, from its beginning: it opens this file and no other, so that the private key
* never leaves this machine. Throws an input error `backup-key` when the key does not open the file.
*/
async function sessionKey(header, privateKey) {
	const home = await (0, node_fs_promises.mkdtemp)((0, node_path.join)((0, node_os.tmpdir)(), "infra-actions-key-"));
	try {
		if ((await gpg(home, ["--import"], privateKey.reveal())).code !== 0) throw wrongKey("is no private OpenPGP key that can be read");
		const { stdout } = await gpg(home, [
			"--status-fd",
			"1",
			"--show-session-key",
			"--output",
			"/dev/null",
			"--decrypt"
		], header);
		const key = /^\[GNUPG:\] SESSION_KEY (\d+:[0-9A-F]+)$/m.exec(stdout)?.[1];
		if (key === void 0) throw wrongKey("does not open this backup: it is another key, or it has a passphrase");
		return new Secret("session key", key);
	} finally {
		await run$1("gpgconf", [
			"--homedir",
			home,
			"--kill",
			"all"
		], "");
		await (0, node_fs_promises.rm)(home, {
			recursive: true,
			force: true
		});
	}
}
function gpg(home, words, input) {
	return run$1("gpg", [
		...[
			"--homedir",
			home,
			"--batch",
			"--no-tty",
			"--quiet",
			"--pinentry-mode",
			"loopback"
		],
		"--passphrase",
		"",
		...words
	], input);
}
async function run$1(program, words, input) {
	const child = (0, node_child_process.spawn)(program, words, { stdio: [
		"pipe",
		"pipe",
		"ignore"
	] });
	child.stdin.on("error", () => {});
	child.stdin.end(input);
	const ended = new Promise((resolve, reject) => {
		child.on("close", resolve);
		child.on("error", (error) => reject(failure("no-gpg", `${program} cannot be run here: ${error.message}`, { hint: "Install GnuPG on the runner." })));
	});
	const [stdout, code] = await Promise.all([(0, node_stream_consumers.text)(child.stdout), ended]);
	return {
		stdout,
		code
	};
}
function wrongKey(problem) {
	return inputError("backup-key", `input \`backup-key\` ${problem}`, { hint: "Give the armored private key, without passphrase, whose public key is backup.encryption.openpgp-key." });
}

// src/storage/s3-encryption.ts
/** Where the encrypted file lies on the host while it goes up or comes down; what a dead run leaves of it is cleaned away. */
function encryptedFile(file) {
	return `${file}.gpg.partial`;
}
/** Throws an input error when the host cannot encrypt for this key. */
async function requireEncryption({ options }, publicKey) {
	try {
		await options.host.run(script("read", remoteScript("openpgp-encrypt")), { input: publicKey });
	} catch (error) {
		if (error instanceof HostError) throw error;
		throw inputError("s3-encryption", `${options.host.name} cannot encrypt for backup.encryption: ${messageOf(error)}`, {
			hint: "Install gnupg on the host, and give an armored public key that can encrypt in openpgp-key.",
			cause: error
		});
	}
}
/** The encrypted copy of an artifact, beside it, as an artifact of its own. `removeEncrypted` takes it away again. */
async function encryptArtifact({ options }, { artifact, work, step }, key) {
	const file = encryptedFile(artifact.file);
	const { stdout } = await work.step(step, script("change", remoteScript("openpgp-encrypt"), [
		options.directory,
		artifact.file,
		file
	]), {
		input: key,
		timeout: 6e5 + artifact.bytes / 1e4
	});
	const [, bytes, sha256] = /^(\d+) ([0-9a-f]{64})$/m.exec(stdout) ?? [];
	if (bytes === void 0 || sha256 === void 0 || Number(bytes) <= artifact.bytes) throw failure("host-answer", `the encryption of ${artifact.file} did not say what it wrote`);
	return {
		...artifact,
		file,
		bytes: Number(bytes),
		sha256
	};
}
/** Seconds without growth after which the encryption of a growing file is given up: proving a large one takes long. */
const idle$1 = 300;
/**
* Encrypts a file while it is being written; what comes of it stands in `begun` when it is whole. Asks for room for both,
* for a full disk would end the dump.
*/
async function encryptGrowing({ options }, { growing, begun, work }, key) {
	const { file, estimate } = growing;
	const need = Math.ceil(2 * estimate / 1024);
	const args = [
		options.directory,
		`${file}.partial`,
		file,
		encryptedFile(file),
		need,
		idle$1
	];
	const { stdout } = await work.step(`follow-encrypt-${begun.number}`, script("change", remoteScript("openpgp-follow"), args), {
		input: key,
		timeout: 864e5
	});
	const [, bytes, sha256, of] = /^(\d+) ([0-9a-f]{64}) ([0-9a-f]{64})$/m.exec(stdout) ?? [];
	if (bytes === void 0 || sha256 === void 0 || of === void 0) throw failure("host-answer", `the encryption of ${file} did not say what it wrote`);
	begun.encrypted = {
		bytes: Number(bytes),
		sha256,
		of
	};
}
async function removeEncrypted({ options }, { artifact, work, step }) {
	await work.step(step, change`rm -f ${`${options.directory}/${encryptedFile(artifact.file)}`}`);
}
/**
* Makes the artifact from its encrypted copy on the host, under its name only when its SHA-256 is right. The host gets
* the session key of this one file.
*/
async function decryptArtifact({ options }, { artifact, work, step }) {
	const { directory, host, encryption } = options;
	const from = encryptedFile(artifact.file);
	const running = host.stream(sh`head -c ${headerBytes} ${`${directory}/${from}`}`);
	const chunks = [];
	for await (const chunk of running.stdout) chunks.push(chunk);
	await running.done;
	const key = await sessionKey(Buffer.concat(chunks), requireKey(encryption));
	const args = [
		directory,
		from,
		`${artifact.file}.partial`,
		artifact.bytes
	];
	const timeout = 6e5 + artifact.bytes / 1e4;
	await work.step(step, script("change", remoteScript("openpgp-decrypt"), args), {
		input: new Secret("session key", `${key.reveal()}\n`),
		timeout
	});
	const accept = [
		directory,
		artifact.file,
		artifact.bytes,
		artifact.sha256
	];
	await work.step(`${step}-accept`, script("change", remoteScript("store-accept"), accept), { timeout });
}
/** Throws an input error when there is none: asked before the file comes down. */
function requireKey(encryption) {
	if (encryption?.privateKey) return encryption.privateKey;
	throw inputError("backup-key", "input `backup-key` is missing, and the copy in S3 is encrypted", { hint: "Pass the private key from a secret to restore, drill or pipeline." });
}

// src/storage/s3-presign.ts
var import_dist_cjs = require_aws.require_dist_cjs();
/** URL for one part of an upload: it can do nothing but write that part, and needs no credentials on the host. */
function presignPart(bucket, { key, upload, part }) {
	return presign(bucket, new import_dist_cjs$1.UploadPartCommand({
		Bucket: bucket.name,
		Key: key,
		UploadId: upload,
		PartNumber: part
	}));
}
/** URL for reading one object, of one version when that is known. */
function presignGet(bucket, { key, versionId }) {
	const version = versionId === void 0 ? {} : { VersionId: versionId };
	return presign(bucket, new import_dist_cjs$1.GetObjectCommand({
		Bucket: bucket.name,
		Key: key,
		...version
	}));
}
async function presign({ client, sessionEnd }, command) {
	const signingDate = new Date(Date.now() + client.config.systemClockOffset);
	return (0, import_dist_cjs.getSignedUrl)(client, command, {
		expiresIn: urlLife(sessionEnd, Date.now()),
		signingDate
	});
}

// src/storage/s3-fetch.ts
/** Ranges of one object that come at once. */
const lanes$1 = 4;
/**
* Brings one object to the host, under its name only when length and SHA-256 are the manifest's. A damaged file that is
* there already is moved aside, never overwritten.
*/
async function fetchObject(context, { artifact, object, work, step }) {
	const { bucket, options, patience } = context;
	const { file, bytes, sha256 } = artifact;
	if (work.dryRun) {
		await work.step(step, change`: fetch ${`s3://${bucket.name}/${object.key}`} to ${`${options.directory}/${file}`}`);
		return;
	}
	if (object.encrypted) return fetchEncrypted(context, {
		artifact,
		object,
		work,
		step
	});
	if (await context.transfer() === "runner") return fetchThroughRunner(context, {
		artifact,
		object,
		work,
		step
	});
	const args = [
		options.directory,
		file,
		bytes,
		sha256,
		object.etag,
		patience.tries,
		patience.stall,
		lanes$1
	];
	for (let calls = 1;; calls++) {
		const url = await presignGet(bucket, {
			key: object.key,
			versionId: object.versionId
		});
		const name = calls === 1 ? step : `${step}-${calls}`;
		const { stdout } = await work.step(name, script("change", remoteScript("s3-download"), args), {
			input: new Secret("presigned URL", `${url}\n`),
			timeout: 6e5 + bytes / 100,
			progress: fetchingProgress(bytes)
		});
		if (!/^renew$/m.test(stdout)) return;
	}
}
/** How far `s3-download.sh` has come, by its own lines. */
function fetchingProgress(total) {
	let [from, came] = [0, 0];
	return {
		total,
		get from() {
			return from;
		},
		read(line) {
			const [, what, bytes] = /^(from|range) (\d+)$/.exec(line) ?? [];
			if (what === "from") from = Number(bytes);
			if (what !== "range") return void 0;
			came += Number(bytes);
			return Math.min(total, from + came);
		}
	};
}
async function fetchEncrypted(context, { artifact, object, work, step }) {
	const { encrypted, ...plain } = object;
	requireKey(context.options.encryption);
	if (await isThere$1(context, artifact)) return;
	await fetchObject(context, {
		artifact: {
			...artifact,
			...encrypted,
			file: encryptedFile(artifact.file)
		},
		object: plain,
		work,
		step
	});
	await decryptArtifact(context, {
		artifact,
		work,
		step: `${step}-decrypt`
	});
}
async function fetchThroughRunner(context, { artifact, object, work, step }) {
	if (await isThere$1(context, artifact)) return;
	const { options } = context;
	const { file, bytes, sha256 } = artifact;
	const path = `${options.directory}/${file}`;
	await work.step(`${step}-prepare`, change`umask 077; mkdir -p ${path.slice(0, path.lastIndexOf("/"))}`);
	await options.host.upload(node_stream.Readable.from(wholeObject(context, object, bytes)), `${path}.partial`);
	await work.step(step, script("change", remoteScript("store-accept"), [
		options.directory,
		file,
		bytes,
		sha256
	]), { timeout: 6e4 + bytes / 2e4 });
}
/** Whether the host has the right bytes already: then they need not come. */
async function isThere$1({ options: { host, directory } }, artifact) {
	const look = script("read", hashingScript("store-verify"), [directory, artifact.file]);
	const { stdout } = await host.run(look, { timeout: readingTime([artifact]) });
	return differences([artifact], parseVerified(stdout)).length === 0;
}
/** The object's bytes, going on where an answer was cut; a try that brings some does not count. */
async function* wholeObject({ bucket, patience, log }, object, bytes) {
	const tell = progressLines(`fetch of ${object.file}`, { total: bytes }, Date.now);
	let at = 0;
	for (let failed = 0; at < bytes;) {
		const from = at;
		try {
			for await (const chunk of await openFrom(bucket, object, from)) {
				at += chunk.length;
				const told = tell(at);
				if (told !== void 0) log(told);
				yield chunk;
			}
			if (at === from) throw failure("s3-cut", `${object.key} gave no bytes from ${from} on`);
		} catch (error) {
			failed = at > from ? 1 : failed + 1;
			if (failed >= patience.tries || error instanceof AppError && error.kind === "input") throw error;
			log(`fetching ${object.key} from byte ${at} on again: ${messageOf(error)}`);
			await (0, node_timers_promises.setTimeout)(failed * 500);
		}
	}
}
async function openFrom(bucket, object, from) {
	const version = object.versionId === void 0 ? {} : { VersionId: object.versionId };
	const range = from === 0 ? {} : {
		Range: `bytes=${from}-`,
		IfMatch: `"${object.etag}"`
	};
	return await bucket.call(`reading ${object.key}`, async (client) => {
		const get = new import_dist_cjs$1.GetObjectCommand({
			Bucket: bucket.name,
			Key: object.key,
			...version,
			...range
		});
		const { Body, ContentRange: got } = await client.send(get);
		if (!(Body instanceof node_stream.Readable)) throw failure("s3-cut", `${object.key} came without a body`);
		if (from > 0 && !got?.startsWith(`bytes ${from}-`)) throw failure("s3-cut", `${object.key} did not go on at ${from}`);
		return Body;
	});
}

// src/storage/s3-notes.ts
const noteSchema = require_libraries.object({
	bucket: require_libraries.string$1(),
	key: require_libraries.string$1(),
	id: require_libraries.string$1(),
	at: require_libraries.string$1()
});
/**
* Writes down, durably, that an upload was begun, before anything is sent to it; ends the script that it stands in when that
* is not possible. Its id is no secret: without the keys it opens nothing.
*/
function noteUpload({ bucket, options }, { backup, key, id }) {
	const note = {
		bucket: bucket.name,
		key,
		id,
		at: (/* @__PURE__ */ new Date()).toISOString()
	};
	const file = `${options.notes}/${backup}.jsonl`;
	const text = `\n${JSON.stringify(note)}\n`;
	return change`(umask 077 && mkdir -p ${options.notes} && printf %s ${text} >>${file} && sync ${file} ${options.notes}) || exit 1`;
}
/** What earlier runs noted of this bucket and prefix, each upload once. */
async function notedUploads({ bucket, options }) {
	const { host, notes, prefix } = options;
	const { stdout } = await host.run(sh`for one in ${notes}/*.jsonl; do if [ -e "$one" ]; then echo "$one:" && cat "$one" || exit; fi; done`);
	const found = /* @__PURE__ */ new Map();
	let note = "";
	for (const line of stdout.split("\n")) {
		if (line.startsWith(notes)) note = line.slice(0, -1);
		const { data } = noteSchema.safeParse(parsed(line));
		if (data?.bucket !== bucket.name || !data.key.startsWith(prefix)) continue;
		const { key, id, at } = data;
		found.set(id, {
			note,
			key,
			path: key.slice(prefix.length),
			id,
			at
		});
	}
	return [...found.values()];
}
function parsed(line) {
	try {
		return JSON.parse(line);
	} catch {
		return;
	}
}

// src/storage/s3-sent.ts
/** The lines that tell `s3-upload.sh` what to send, and before it, for a probe, a part whose MD5 is wrong. */
async function urls(bucket, { key, id }, { numbers, probe }) {
	const line = async (number) => `${number} ${await presignPart(bucket, {
		key,
		upload: id,
		part: number || 1
	})}\n`;
	const all = await Promise.all(numbers.map(line));
	return (probe ? await line(0) : "") + all.join("");
}
/** Reads the output of `s3-upload.sh`. */
function readSent(text) {
	const [, code, reason = ""] = /^probe (\d{3}) (\w*)$/m.exec(text) ?? [];
	const bytes = /^whole (\d+)$/m.exec(text)?.[1];
	return {
		probe: code === void 0 ? void 0 : {
			code,
			reason
		},
		parts: text.split("\n").flatMap((line) => readPart$1(line) ?? []),
		bytes: bytes === void 0 ? void 0 : Number(bytes),
		sha256: /^sum ([0-9a-f]{64})$/m.exec(text)?.[1],
		end: /^end (\w+)$/m.exec(text)?.[1] ?? ""
	};
}
function readPart$1(line) {
	const [, number, md5, code, reason = ""] = /^part (\d+) ([A-Za-z0-9+/]{22}==) (\d{3}) (\w*)$/.exec(line) ?? [];
	if (number === void 0 || md5 === void 0 || code === void 0) return void 0;
	return {
		number: Number(number),
		md5: Buffer.from(md5, "base64").toString("hex"),
		code,
		reason
	};
}
/** How far a call of `s3-upload.sh` has come, by its own lines; `from` are the bytes that went up before it. */
function sendingProgress(size, from) {
	let total;
	let done = from;
	return {
		from,
		get total() {
			return total;
		},
		read(line) {
			const whole = /^whole (\d+)$/.exec(line)?.[1];
			if (whole !== void 0) total = Number(whole);
			const part = readPart$1(line);
			if (part?.code !== "200") return void 0;
			done += total === void 0 ? size : Math.min(size, total - (part.number - 1) * size);
			return done;
		}
	};
}
/** A part with a wrong MD5 must have been refused, or a right one proves nothing. */
function requireEnforced(probe) {
	const code = probe?.code;
	if (code === "400") return;
	if (probe && isExpired(probe)) throw sessionEnded(void 0);
	if (code?.startsWith("2")) throw failure("s3-md5-ignored", "S3 took a part with a wrong Content-MD5: what it stores cannot be proven", { hint: "Use a store that checks Content-MD5, as AWS, Ceph, MinIO and R2 do." });
	throw failure("s3-unsent", `S3 answered ${code ?? "nothing"} to the first part sent from the host`, { hint: "Check that the host reaches the S3 endpoint, and what the S3 key may do." });
}
/** The part for which no more were sent: an answer other than 200, and among several one that no fresh URL mends. */
function refusedPart({ parts }) {
	const refused = parts.filter(({ code }) => code !== "200").sort((a, b) => a.number - b.number);
	return refused.find(({ code }) => code !== "403") ?? refused[0];
}
/** Why a file did not go up from the host. */
function unsent({ file }, failed) {
	if (failed !== void 0 && isExpired(failed)) return sessionEnded(void 0);
	const what = failed === void 0 ? "stopped before its end" : `part ${failed.number} was answered with ${failed.code} ${failed.reason}`;
	return failure("s3-unsent", `${file} could not be sent from the host to S3: ${what.trim()}`);
}
function isExpired({ reason }) {
	return /^(ExpiredToken|TokenRefreshRequired)$/.test(reason);
}

// src/storage/s3-send.ts
/** Parts of one file that go up at once: a single connection rarely fills a long line. */
const lanes = 4;
/**
* The host sends the parts itself, by URLs that can do nothing else. They go in as the input of a step of the work rather
* than by a bare connection: so the transfer goes on when the connection is lost, the lease is renewed meanwhile and the
* journal knows of it. The keeper's copy has mode 600 and goes with the step; the URLs die within the hour.
*/
function hostSender(context, work) {
	const state = {
		steps: 0,
		enforced: false
	};
	return async (upload, { parts, artifact, sent }) => {
		const md5s = new Map(sent?.md5s);
		let { sha256 } = { ...sent };
		for (;;) {
			if (md5s.size < parts.length) sha256 = await sendMissing(context, state, {
				upload,
				parts,
				artifact,
				work,
				md5s
			});
			if (sha256 === artifact.sha256) break;
			await keepRight(context, {
				upload,
				artifact,
				md5s
			});
			if (md5s.size === parts.length) break;
		}
		return parts.map(({ number }) => md5s.get(number) ?? "");
	};
}
/** Sends what is missing, in as many calls as URLs get old. Gives the SHA-256 of all when all went up in one. */
async function sendMissing(context, state, missing) {
	const { bucket, options, patience } = context;
	const { upload, parts, artifact, work, md5s } = missing;
	for (let fruitless = 0;;) {
		const next = parts.filter(({ number }) => !md5s.has(number));
		const left = next.reduce((sum, { bytes }) => sum + bytes, 0);
		const input = await urls(bucket, upload, {
			numbers: next.map(({ number }) => number),
			probe: !state.enforced
		});
		const args = [
			`${options.directory}/${artifact.file}`,
			upload.size,
			patience.tries,
			patience.stall,
			4
		];
		const command = lines$1(noteUpload(context, upload), script("change", hashingScript("s3-upload"), args));
		const { stdout } = await work.step(`upload-s3-${++state.steps}`, command, {
			input: new Secret("presigned URLs", input),
			timeout: 6e5 + left / 100,
			progress: sendingProgress(upload.size, artifact.bytes - left)
		});
		const sent = readSent(stdout);
		if (!state.enforced) requireEnforced(sent.probe);
		state.enforced = true;
		for (const { number, md5, code } of sent.parts) if (code === "200") md5s.set(number, md5);
		if (md5s.size === parts.length) return sent.sha256;
		const failed = refusedPart(sent);
		fruitless = sent.parts.some(({ code }) => code === "200") ? 0 : fruitless + 1;
		if (failed?.code !== "403" || fruitless > 1) throw unsent(artifact, failed);
	}
}
/** Forgets the parts of which the file, proven to be the one that was dumped, has other bytes now than were sent. */
async function keepRight({ options: { host, directory } }, { upload, artifact, md5s }) {
	const count = Math.max(1, Math.ceil(artifact.bytes / upload.size));
	const args = [
		`${directory}/${artifact.file}`,
		upload.size,
		count
	];
	const { stdout } = await host.run(script("read", hashingScript("s3-part-sums"), args), { timeout: 6e4 + artifact.bytes / 2e4 });
	if (/^sum ([0-9a-f]{64})$/m.exec(stdout)?.[1] !== artifact.sha256) throw failure("backup-corrupt", `${artifact.file} on the host is not what it was when it was written`);
	const now = new Map([...stdout.matchAll(/^(\d+) ([0-9a-f]{32})$/gm)].map(([, number, md5]) => [Number(number), md5]));
	for (const [number, md5] of md5s) if (now.get(number) !== md5) md5s.delete(number);
}

// src/storage/s3-upload.ts
/**
* Brings one file into S3 under a key that nothing else has, in equal parts, and proves it: every part was accepted only
* with its MD5, the bytes that were sent have the file's SHA-256, S3's list of parts has these MD5s and lengths, and the
* object's length and ETag are as computed. When the object differs the next try takes another key: on a locked or
* versioned store a bad object cannot be taken back.
*/
async function uploadObject(bucket, artifact, target) {
	const { key } = target;
	const problems = [];
	for (const candidate of [
		key,
		`${key}.r2`,
		`${key}.r3`
	]) {
		const begun = candidate === target.begun?.upload.key ? target.begun : void 0;
		if (await head(bucket, candidate, void 0) !== void 0) {
			problems.push(`${candidate} is already there`);
			if (begun) await abort(bucket, begun.upload);
			continue;
		}
		const result = await uploadOnce(bucket, artifact, {
			...target,
			key: candidate,
			begun
		});
		if ("object" in result) return result;
		problems.push(result.problem);
	}
	throw failure("s3-differs", `S3 does not hold ${artifact.file} as it is on the host: ${problems.join("; ")}`);
}
async function uploadOnce(bucket, artifact, { send, begun, ...target }) {
	const fits = begun && planParts(artifact.bytes, begun.upload.size).length <= 1e3;
	if (begun && !fits) await abort(bucket, begun.upload);
	const upload = fits ? begun.upload : await beginUpload(bucket, {
		...target,
		bytes: artifact.bytes
	});
	const parts = planParts(artifact.bytes, upload.size);
	try {
		const result = await completeUpload(bucket, artifact, {
			upload,
			md5s: await send(upload, {
				parts,
				artifact,
				sent: fits ? begun.sent : void 0
			})
		});
		if ("problem" in result) await abort(bucket, upload);
		return result;
	} catch (error) {
		await abort(bucket, upload, error);
		throw error;
	}
}
/**
* Makes the object of its parts, all of which S3 has taken with these MD5s, and proves it; or says why it is not right. The
* key may have been taken while they were sent, by a backup of another environment begun in the same second.
*/
async function completeUpload(bucket, { file, bytes }, { upload, md5s }) {
	const { key, size } = upload;
	const etags = await listedParts(bucket, upload, planParts(bytes, size));
	if (await head(bucket, key, void 0) !== void 0) return { problem: `${key} is there by now` };
	const made = await complete(bucket, upload, etags);
	const found = await head(bucket, key, void 0);
	if (found === void 0) return { problem: `${key} is not there after its upload` };
	if (found.bytes !== bytes) return { problem: `${key} has ${found.bytes} bytes instead of ${bytes}` };
	const same = found.etag === compositeEtag(md5s) && etags.every((etag, index) => bareEtag(etag) === md5s[index]);
	if (!same && !(found.opaque && made)) return { problem: `${key} has the ETag ${found.etag} instead of ${compositeEtag(md5s)}` };
	const version = found.versionId === void 0 ? {} : { versionId: found.versionId };
	return {
		object: {
			file,
			key,
			etag: found.etag,
			partBytes: size,
			...version
		},
		tier: same ? "etag" : "parts-only",
		kept: found.kept
	};
}

// src/storage/s3-follow.ts
/** Seconds without growth after which a follower on the host ends: its writer may be dead. A live one gets another follower. */
const idle = 60;
/** Tries of a part while the file is written: what does not go up now goes up later. */
const tries = 2;
/**
* The host sends the parts of a file while it is being written, and makes the object of them while it is being proven, so
* that nothing is left to do when it is. `putArtifacts` compares what went up with what was proven. Never throws: an upload
* that does not come far is done, or fails with its reason, in `putArtifacts`.
*/
async function follow(context, growing, { work, running }) {
	const { bucket, options, log } = context;
	if (work.dryRun || growing.estimate < 2 * partSize(0)) return;
	try {
		if (await context.transfer() !== "host") return;
		const encrypts = options.encryption?.publicKey;
		const key = `${options.prefix}${growing.file}${encrypts ? ".gpg" : ""}`;
		if (await head(bucket, key, void 0) !== void 0) return;
		const lock = options.immutable && lockFrom(Date.now(), options.immutable);
		const begin = {
			backup: growing.id,
			key,
			bytes: growing.estimate,
			lock,
			storage: options.storage
		};
		const upload = await beginUpload(bucket, begin);
		const begun = {
			number: context.begun.size + 1,
			upload,
			md5s: /* @__PURE__ */ new Map()
		};
		context.begun.set(growing.file, begun);
		const encrypting = encrypts ? encryptGrowing(context, {
			growing,
			begun,
			work
		}, encrypts) : void 0;
		const sending = sendGrowing(context, {
			growing,
			begun,
			work,
			running
		});
		for (const ended of await Promise.allSettled([sending, encrypting])) if (ended.status === "rejected") throw ended.reason;
		if (!options.immutable) await completeEarly(context, growing, begun);
	} catch (error) {
		log(`${growing.file} does not go to S3 while it is written, but afterwards: ${messageOf(error)}`);
	}
}
async function sendGrowing(context, { growing, begun, work, running }) {
	const { bucket, options, patience } = context;
	const { upload, md5s } = begun;
	const { size } = upload;
	const name = `${options.directory}/${options.encryption?.publicKey ? encryptedFile(growing.file) : growing.file}`;
	const path = options.encryption?.publicKey ? `${name}.growing` : `${name}.partial`;
	for (let steps = 1; md5s.size < mostParts; steps++) {
		const input = await urls(bucket, upload, {
			numbers: nextParts(growing, begun),
			probe: steps === 1
		});
		const life = urlLife(bucket.sessionEnd, Date.now());
		const args = [
			path,
			size,
			tries,
			patience.stall,
			4,
			name,
			idle,
			Math.floor(life * 3 / 4)
		];
		const command = lines$1(noteUpload(context, upload), script("change", hashingScript("s3-upload"), args));
		const { stdout } = await work.step(`follow-s3-${begun.number}-${steps}`, command, {
			input: new Secret("presigned URLs", input),
			timeout: life * 1e3,
			progress: sendingProgress(size, md5s.size * size)
		});
		const sent = readSent(stdout);
		if (steps === 1) requireEnforced(sent.probe);
		for (const { number, md5, code } of sent.parts) if (code === "200") md5s.set(number, md5);
		const refused = refusedPart(sent);
		if (refused !== void 0 && (refused.code !== "403" || sent.parts.every(({ code }) => code !== "200"))) throw unsent(growing, refused);
		if (sent.sha256 !== void 0 && sent.bytes !== void 0) begun.whole = {
			bytes: sent.bytes,
			sha256: sent.sha256
		};
		if ([
			"whole",
			"gone",
			""
		].includes(sent.end) || sent.end === "idle" && !running()) return;
	}
}
/** Those that the file will hardly be more than, or, when it is, as many again. */
function nextParts({ estimate }, { upload, md5s }) {
	const planned = Math.ceil(estimate / upload.size);
	const last = Math.min(mostParts, md5s.size < planned ? planned : 2 * md5s.size);
	return Array.from({ length: last }, (_, index) => index + 1).filter((number) => !md5s.has(number));
}
/** What does not become an object in this way goes up anew: nobody knows what became of it. */
async function completeEarly(context, { file }, begun) {
	const { whole, encrypted, upload, md5s } = begun;
	if (whole === void 0 || encrypted && encrypted.sha256 !== whole.sha256) return;
	try {
		const inOrder = [...md5s].sort(([a], [b]) => a - b).map(([, md5]) => md5);
		const done = await completeUpload(context.bucket, {
			file,
			bytes: whole.bytes
		}, {
			upload,
			md5s: inOrder
		});
		if ("problem" in done) throw failure("s3-differs", done.problem);
		begun.done = done;
	} catch (error) {
		context.begun.delete(file);
		await abort(context.bucket, upload);
		throw error;
	}
}

// src/storage/s3-manifest.ts
/**
* Publishes a manifest, never over one that is there, and reads it back. A request that failed may have put it there all
* the same: what counts is what lies there afterwards.
*/
async function putManifest({ bucket, options, published }, manifest, work) {
	const key = options.prefix + manifestFile(manifest.id);
	const text = printManifest(manifest);
	if (work.dryRun) {
		await work.step("publish-manifest-s3", change`: write ${`s3://${bucket.name}/${key}`}`);
		return;
	}
	const lock = manifestLock(manifest, options);
	const content = {
		Body: text,
		ContentType: "application/json",
		ContentMD5: md5(text)
	};
	const object = {
		Bucket: bucket.name,
		Key: key,
		...content,
		...lockHeaders(lock),
		...storageHeaders(options.storage)
	};
	published.add(manifest.id);
	try {
		await put(bucket, key, object);
	} catch (error) {
		if (isRefused(error) && await isGone$1(bucket, key)) published.delete(manifest.id);
		if (!await isThere(bucket, key, text)) throw error;
	}
	if (await readText(bucket, key) !== text) throw failure("s3-manifest", `${key} in S3 is not the manifest that was written: another one is in its place`);
	if (lock) await lockObject(bucket, {
		key,
		versionId: (await head(bucket, key, void 0))?.versionId
	}, lock);
}
/** When the store cannot promise that nothing is written over, it is looked at first. */
async function put(bucket, key, object) {
	await bucket.call(`publishing ${key}`, async (client) => {
		try {
			await client.send(new import_dist_cjs$1.PutObjectCommand({
				...object,
				IfNoneMatch: "*"
			}));
		} catch (error) {
			const status = statusOf$1(error);
			if (status === 501 && await head(bucket, key, void 0) === void 0) await client.send(new import_dist_cjs$1.PutObjectCommand(object));
			else if (status !== 412 && status !== 501) throw error;
		}
	});
}
/** A store that cannot be asked has nothing that could be relied on: the error before is the one to tell. */
async function isThere(bucket, key, text) {
	return readText(bucket, key).then((found) => found === text, () => false);
}
/** Only what the store says itself. */
async function isGone$1(bucket, key) {
	return head(bucket, key, void 0).then((found) => found === void 0, () => false);
}
/** As long as the objects that it names. */
function manifestLock({ storage }, { immutable }) {
	if (!immutable || storage.lockedUntil === void 0) return void 0;
	return {
		...lockFrom(0, immutable),
		until: new Date(storage.lockedUntil)
	};
}
function md5(text) {
	return (0, node_crypto.createHash)("md5").update(text).digest("base64");
}

// src/storage/s3-read-back.ts
/**
* Reads a stored object to its end, where its bytes came from, and compares them with the file's SHA-256: the one proof of
* what a restore will get. Throws `s3-differs` when they are others.
*/
async function readBack(context, options) {
	const { artifact, object } = options;
	try {
		if (await context.transfer() === "runner") await readHere(context, options);
		else await readOnHost(context, options);
	} catch (error) {
		if (error instanceof HostError || error instanceof AppError && error.code === "lease-lost") throw error;
		throw failure("s3-differs", `${artifact.file} could not be read back from ${object.key}: ${messageOf(error)}`, { cause: error });
	}
}
async function readOnHost({ bucket, patience }, { artifact, object, work, step }) {
	const url = await presignGet(bucket, {
		key: object.key,
		versionId: object.versionId
	});
	const args = [
		artifact.bytes,
		artifact.sha256,
		patience.tries,
		patience.stall
	];
	await work.step(step, script("read", remoteScript("s3-read-back"), args), {
		input: new Secret("presigned URL", `${url}\n`),
		timeout: 6e5 + artifact.bytes / 100
	});
}
async function readHere({ bucket, patience, log }, { artifact, object }) {
	const version = object.versionId === void 0 ? {} : { VersionId: object.versionId };
	for (let attempt = 1;; attempt++) try {
		await bucket.call(`reading ${object.key} back`, async (client) => {
			const { Body } = await client.send(new import_dist_cjs$1.GetObjectCommand({
				Bucket: bucket.name,
				Key: object.key,
				...version
			}));
			if (!(Body instanceof node_stream.Readable)) throw failure("s3-cut", `${object.key} came without a body`);
			const hash = (0, node_crypto.createHash)("sha256");
			for await (const chunk of Body) hash.update(chunk);
			if (hash.digest("hex") !== artifact.sha256) throw failure("s3-cut", "other bytes came than were sent");
		});
		return;
	} catch (error) {
		if (attempt >= patience.tries) throw error;
		log(`reading ${object.key} back again: ${messageOf(error)}`);
	}
}

// src/storage/s3-remove.ts
/**
* Removes a backup: its manifest first, then its objects, each by version where there are versions, for a deletion by
* name keeps the bytes. Throws a refusal `s3-locked` before anything when the store does not let go of a part of it.
*/
async function removeBackup({ bucket, options }, manifest, { work, objects }) {
	const key = options.prefix + manifestFile(manifest.id);
	if (work.dryRun) {
		await work.step(`remove-s3-${manifest.id}`, change`: remove ${`s3://${bucket.name}/${key}`} and its objects`);
		return;
	}
	const found = await head(bucket, key, void 0);
	const locked = options.immutable !== void 0 || manifest.storage.lockedUntil !== void 0;
	const versioned = [...(locked ? (await listVersions(bucket, key)).find((one) => one.key === key)?.versions ?? [] : [found?.versionId]).map((versionId) => ({
		key,
		versionId
	})), ...objects].filter(({ versionId }) => versionId !== void 0);
	await assertUnlocked(bucket, versioned, {
		id: manifest.id,
		now: Date.now()
	});
	if (locked) await deleteVersions(bucket, key);
	else await deleteObject(bucket, {
		key,
		versionId: found?.versionId
	});
	await deleteObjects(bucket, objects);
}
/**
* Removes an object that this run has made, or says why a lock keeps it. Without versions whatever has another ETag under its
* key is somebody else's by now, and stays.
*/
async function takeBack(bucket, { key, versionId, etag }) {
	if (versionId === void 0 && (await head(bucket, key, void 0))?.etag !== etag) return void 0;
	return deleteUnlocked(bucket, {
		key,
		versionId
	});
}
/** Removes one, or says why a lock keeps it: `locked until ...`. */
async function deleteUnlocked(bucket, target) {
	const why = target.versionId === void 0 ? void 0 : await whyLocked(bucket, target, Date.now());
	if (why === void 0) await deleteObject(bucket, target);
	return why;
}
/** One by one, in order: requests for many at once fail on stores other than AWS. */
async function deleteObjects(bucket, targets) {
	for (const target of targets) await deleteObject(bucket, target);
}

// src/storage/s3-send-through-runner.ts
/** For hosts without curl, or without a way to S3: each part comes through here, one in memory at a time. */
function runnerSender(context, work) {
	const { bucket, options, patience, log } = context;
	const { host, directory } = options;
	let uploads = 0;
	return async (upload, { parts, artifact }) => {
		await work.step(`note-upload-s3-${++uploads}`, noteUpload(context, upload));
		const tell = progressLines(`upload of ${artifact.file}`, { total: artifact.bytes }, Date.now);
		const sum = (0, node_crypto.createHash)("sha256");
		const md5s = [];
		for (const part of parts) {
			const body = await readPart(host, `${directory}/${artifact.file}`, part);
			sum.update(body);
			const md5 = (0, node_crypto.createHash)("md5").update(body).digest();
			await putPart(bucket, {
				upload,
				part,
				body,
				md5: md5.toString("base64")
			}, patience);
			md5s.push(md5.toString("hex"));
			const told = tell(part.from + part.bytes);
			if (told !== void 0) log(told);
		}
		if (sum.digest("hex") === artifact.sha256) return md5s;
		throw failure("backup-corrupt", `${artifact.file} on the host is not what it was when it was written`);
	};
}
async function readPart(host, path, { from, bytes }) {
	const running = host.stream(sh`tail -c +${from + 1} ${path} | head -c ${bytes}`, { timeout: 6e5 });
	const chunks = [];
	for await (const chunk of running.stdout) chunks.push(chunk);
	await running.done;
	const body = Buffer.concat(chunks);
	if (body.length === bytes) return body;
	throw failure("host-answer", `${path} gave ${body.length} bytes from ${from} instead of ${bytes}`);
}
async function putPart(bucket, { upload, part, body, md5 }, { tries }) {
	const { key, id } = upload;
	for (let attempt = 1;; attempt++) try {
		await bucket.call(`sending part ${part.number} of ${key}`, (client) => client.send(new import_dist_cjs$1.UploadPartCommand({
			Bucket: bucket.name,
			Key: key,
			UploadId: id,
			PartNumber: part.number,
			Body: body,
			ContentMD5: md5
		})));
		return;
	} catch (error) {
		if (attempt >= tries) throw error;
		await (0, node_timers_promises.setTimeout)(attempt * 500);
	}
}

// src/storage/s3-put.ts
/**
* Stores a backup's files, encrypted if that is asked, locked if that is asked, and proves each by the tier that the report
* names. Goes on with what went up while the files were being written.
*/
async function putArtifacts(context, manifest, work) {
	const { bucket, options, transfer } = context;
	const artifacts = manifest.services.flatMap((one) => one.artifacts);
	const bytes = artifacts.reduce((sum, one) => sum + one.bytes, 0);
	if (work.dryRun) {
		await work.step("upload-s3-1", change`: send ${artifactFiles(manifest)} to ${`s3://${bucket.name}/${options.prefix}`}`);
		return {
			bytes,
			tier: "etag",
			objects: []
		};
	}
	const send = await transfer() === "host" ? hostSender(context, work) : runnerSender(context, work);
	const lock = options.immutable && lockFrom(Date.now(), options.immutable);
	const objects = [];
	const tiers = /* @__PURE__ */ new Set();
	for (const [index, artifact] of artifacts.entries()) {
		const tier = await putArtifact(context, {
			id: manifest.id,
			artifact,
			work,
			number: index + 1,
			send,
			lock
		}, (object) => {
			objects.push(object);
			context.written.set(manifest.id, [...objects]);
		});
		tiers.add(tier);
	}
	return {
		bytes,
		tier: options.readBack ? "read-back" : tiers.has("parts-only") ? "parts-only" : "etag",
		objects,
		...lock && { lockedUntil: lock.until.toISOString() }
	};
}
/** One file; `note` hears of its object as soon as it is there, for from then on it may have to be taken back. */
async function putArtifact(context, { id, artifact, work, number, send, lock }, note) {
	const { bucket, options } = context;
	const begun = takeBegun(context, id, artifact);
	const encrypts = options.encryption?.publicKey;
	const encrypting = {
		artifact,
		work,
		step: `encrypt-s3-${number}`
	};
	const sent = encrypts ? encryptedMeanwhile(artifact, begun) ?? await encryptArtifact(context, encrypting, encrypts) : artifact;
	const target = {
		backup: id,
		key: `${options.prefix}${artifact.file}${encrypts ? ".gpg" : ""}`,
		send,
		lock,
		begun: begun?.done ? void 0 : begun && {
			upload: begun.upload,
			sent: sentBy(begun)
		},
		storage: options.storage
	};
	const { object, tier, kept } = await doneMeanwhile(context, sent, begun) ?? await uploadObject(bucket, sent, target);
	const encrypted = encrypts ? { encrypted: {
		bytes: sent.bytes,
		sha256: sent.sha256
	} } : {};
	note({
		...object,
		file: artifact.file,
		...encrypted
	});
	const otherwise = keptOtherwise(options.storage, kept);
	if (otherwise !== void 0) throw failure("s3-storage", `${object.key} ${otherwise}`, { hint: "Leave backup.s3.server-side-encryption and storage-class to what the store can do, or set them as the bucket's defaults." });
	if (lock) await lockObject(bucket, object, lock);
	if (options.readBack) await readBack(context, {
		artifact: sent,
		object,
		work,
		step: `read-back-s3-${number}`
	});
	if (encrypts) await removeEncrypted(context, {
		...encrypting,
		step: `clean-encrypted-${number}`
	});
	return tier;
}
/** Once taken it is the upload's own to end: completed, or taken back. */
function takeBegun({ begun }, id, { file }) {
	const found = begun.get(file);
	if (found?.upload.backup !== id) return void 0;
	begun.delete(file);
	return found;
}
function sentBy({ md5s, whole }) {
	return {
		md5s,
		sha256: whole?.sha256
	};
}
/** The object that was made while the file was being proven, if it is of the very bytes that were. One of others is removed. */
async function doneMeanwhile({ bucket, log }, { bytes, sha256 }, begun) {
	if (begun?.done === void 0) return void 0;
	if (begun.whole?.bytes === bytes && begun.whole.sha256 === sha256) return begun.done;
	const { object } = begun.done;
	const why = await takeBack(bucket, object).catch(messageOf);
	if (why !== void 0) log(`${object.key} stays in S3, ${why}: it is not what was proven`);
}
/** The copy that was encrypted while the file was being written, if it is of the very bytes that were proven. */
function encryptedMeanwhile(artifact, begun) {
	if (begun?.encrypted?.of !== artifact.sha256) return void 0;
	const { bytes, sha256 } = begun.encrypted;
	return {
		...artifact,
		file: encryptedFile(artifact.file),
		bytes,
		sha256
	};
}

// src/storage/s3-strays.ts
/** What the manifests below the prefix name. */
async function namedInS3(context) {
	return namedBy(await readManifests(context), context.options.prefix);
}
/** Paths of the objects that begin with one of the stems. */
async function keysBelow({ bucket, options }, stems) {
	const found = [];
	for (const stem of stems) found.push(...await listKeys(bucket, options.prefix + stem));
	return found.map((key) => key.slice(options.prefix.length));
}
/** Removes objects by their version, where there are versions: a deletion by name keeps the bytes. Tells which a lock keeps. */
async function removeKeys({ bucket, options }, files) {
	const stay = /* @__PURE__ */ new Map();
	for (const file of files) {
		const key = options.prefix + file;
		const found = await head(bucket, key, void 0);
		const why = found && await deleteUnlocked(bucket, {
			key,
			versionId: found.versionId
		});
		if (why !== void 0) stay.set(file, why);
	}
	return stay;
}
/** By its id: a list by name is not to be had everywhere. Some stores say of an upload that is over that it was taken back. */
async function endUpload({ bucket }, { key, id }) {
	const ended = await abortUpload(bucket, {
		key,
		id
	});
	if (await head(bucket, key, void 0) !== void 0) return "object";
	return ended ? "ended" : "nothing";
}

// src/storage/s3-store.ts
/** Backups in S3 or a store like it. The credentials stay here; the host gets URLs for single parts and objects. */
function s3Store(options) {
	const bucket = openBucket(options);
	const { prefix, project, environment, patience = {
		tries: 5,
		stall: 30
	}, log = () => {} } = options;
	let mode;
	const transfer = () => {
		mode ??= chooseTransfer(bucket, options, log);
		return mode;
	};
	const context = {
		bucket,
		options,
		patience,
		log,
		transfer,
		written: /* @__PURE__ */ new Map(),
		begun: /* @__PURE__ */ new Map(),
		published: /* @__PURE__ */ new Set()
	};
	return {
		name: "s3",
		probe: () => probe$1(context),
		async prepare(work) {
			if (!work.dryRun) await abortStale(bucket, {
				prefix,
				now: Date.now(),
				log
			});
		},
		discard: (manifest, work) => discard(context, manifest, work),
		follow: (growing, work, running) => follow(context, growing, {
			work,
			running
		}),
		putArtifacts: (manifest, work) => putArtifacts(context, manifest, work),
		putManifest: (manifest, work) => putManifest(context, manifest, work),
		async list() {
			const { manifests, unreadable } = sortManifests(await readManifests(context), {
				project,
				environment
			});
			return {
				backups: manifests.map((manifest) => ({
					manifest,
					store: "s3"
				})),
				unreadable
			};
		},
		async fetch(manifest, work, directory = options.directory) {
			const objects = objectsOf(manifest, prefix);
			if (objects.some(({ encrypted }) => encrypted)) requireKey(options.encryption);
			const wrong = work.dryRun ? [] : await verify$1(context, manifest);
			if (wrong.length > 0) throw failure("backup-corrupt", `the copy of ${manifest.id} in S3 is not what its manifest says: ${wrong.join("; ")}`);
			const there = {
				...context,
				options: {
					...options,
					directory
				}
			};
			for (const [index, artifact] of artifactsOf(manifest).entries()) {
				const object = objects.find((one) => one.file === artifact.file);
				if (object === void 0) throw failure("s3-object", `${manifest.id} names no object in S3 for ${artifact.file}`);
				await fetchObject(there, {
					artifact,
					object,
					work,
					step: `fetch-s3-${index + 1}`
				});
			}
		},
		verify: (manifest) => verify$1(context, manifest),
		named: () => namedInS3(context),
		below: (stems) => keysBelow(context, stems),
		uploads: {
			noted: () => notedUploads(context),
			end: (upload) => endUpload(context, upload)
		},
		removeStrays: (files) => removeKeys(context, files),
		remove: async (manifest, work) => removeBackup(context, manifest, {
			work,
			objects: objectsOf(manifest, prefix)
		}),
		recordDrill: (record, work) => recordDrill(context, record, work),
		drills: (known) => readDrills(context, known)
	};
}
async function probe$1(context) {
	const { bucket, options } = context;
	if (options.immutable) await requireLockable(bucket);
	if (options.encryption?.publicKey) await requireEncryption(context, options.encryption.publicKey);
	await listKeys(bucket, `${options.prefix}${manifestFolder}/backup-`);
	await probeWriting(context);
}
/** Beginning an upload needs the right to write and, taken back at once, leaves nothing. */
async function probeWriting({ bucket, options: { prefix, storage } }) {
	const key = `${prefix}${manifestFolder}/probe`;
	const headers = storageHeaders(storage);
	try {
		await bucket.call("testing the right to write", async (client) => {
			const begin = new import_dist_cjs$1.CreateMultipartUploadCommand({
				Bucket: bucket.name,
				Key: key,
				...headers
			});
			const { UploadId } = await client.send(begin);
			await client.send(new import_dist_cjs$1.AbortMultipartUploadCommand({
				Bucket: bucket.name,
				Key: key,
				UploadId
			}));
		});
	} catch (error) {
		const asked = Object.values(headers).join(", ");
		if (asked === "" || !(error instanceof AppError) || error.code !== "s3-failed") throw error;
		throw inputError("s3-storage", `S3 does not take ${asked}: ${error.message}`, {
			hint: "Check server-side-encryption, kms-key-id and storage-class of backup.s3 against what the store has.",
			cause: error
		});
	}
}
async function verify$1({ bucket, options }, manifest) {
	const wrong = [];
	const objects = objectsOf(manifest, options.prefix);
	for (const { file, bytes } of artifactsOf(manifest)) {
		const object = objects.find((one) => one.file === file);
		const stored = object?.encrypted?.bytes ?? bytes;
		const found = object && await head(bucket, object.key, object.versionId);
		if (object === void 0) wrong.push(`${file} is not in S3`);
		else if (found === void 0) wrong.push(`${object.key} is missing`);
		else if (found.bytes !== stored) wrong.push(`${object.key} has ${found.bytes} bytes instead of ${stored}`);
		else if (found.etag !== object.etag) wrong.push(`${object.key} has other bytes (ETag ${found.etag} instead of ${object.etag})`);
	}
	return wrong;
}
/** A backup of which this run has begun to publish the manifest may be one already: it stays. */
async function discard(context, { id }, work) {
	const { bucket, options, written, begun, published } = context;
	if (work.dryRun) return;
	const objects = [...written.get(id) ?? []];
	for (const [file, { upload, number, done }] of begun) {
		if (upload.backup !== id) continue;
		begun.delete(file);
		if (done) objects.push(done.object);
		else await abortUpload(bucket, upload);
		if (options.encryption?.publicKey) await removeEncrypted(context, {
			artifact: { file },
			work,
			step: `discard-encrypted-${number}`
		});
	}
	if (published.has(id)) throw failure("published", `the manifest of ${id} was sent to S3: this backup may be published and stays`);
	const stay = [];
	for (const one of objects) {
		const why = await takeBack(bucket, one);
		if (why !== void 0) stay.push(`${one.key} is ${why}`);
	}
	if (stay.length > 0) throw refusal("s3-locked", stay.join("; "));
}
async function chooseTransfer(bucket, { transfer = "auto", host, prefix }, log) {
	if (transfer !== "auto") return transfer;
	const { origin } = new URL(await presignGet(bucket, {
		key: `${prefix}probe`,
		versionId: void 0
	}));
	const { stdout } = await host.run(script("read", remoteScript("s3-reach"), [origin]));
	const answer = stdout.trim();
	if (answer === "ok") return "host";
	log(`backups go to S3 through the runner: on ${host.name} ${answer}`);
	return "runner";
}
function artifactsOf({ services }) {
	return services.flatMap(({ artifacts }) => artifacts);
}
/** The objects that a manifest names. Throws when one lies elsewhere: such a manifest is not ours. */
function objectsOf(manifest, prefix) {
	artifactFiles(manifest);
	const { objects } = manifest.storage;
	const foreign = objects.find(({ key }) => !/^[a-z]+\/[^/]+$/.test(key.slice(prefix.length)) || !key.startsWith(prefix));
	if (foreign === void 0) return objects;
	throw inputError("manifest-path", `the manifest of ${manifest.id} names an object outside of ${prefix}: ${foreign.key}`);
}

// src/action/open-stores.ts
/** The local store, and S3 where the configuration has it on. Throws an input error when S3 is on and its keys are missing. */
function openStores(host, { config, inputs, context, directory = layout(config).backups }) {
	const place = {
		host,
		directory,
		project: config.project,
		environment: config.environment
	};
	const { s3 } = config.backup;
	const keys = requireStoreKeys(config, inputs);
	if (!s3 || !keys) return [localStore(place)];
	const sessionToken = inputs["s3-session-token"];
	const endpoint = s3.endpoint ?? context.env.AWS_ENDPOINT_URL_S3 ?? context.env.AWS_ENDPOINT_URL;
	const remote = s3Store({
		...place,
		notes: `${layout(config).state}/uploads`,
		bucket: s3.bucket,
		prefix: s3.prefix,
		region: s3.region,
		credentials: {
			...keys,
			...sessionToken ? { sessionToken } : {},
			sessionEnd: sessionEndFor(keys.accessKeyId, context)
		},
		...endpoint ? { endpoint } : {},
		storage: {
			serverSide: s3["server-side-encryption"],
			kmsKey: s3["kms-key-id"],
			storageClass: s3["storage-class"]
		},
		...s3["force-path-style"] === void 0 ? {} : { forcePathStyle: s3["force-path-style"] },
		...s3["immutable-days"] === void 0 ? {} : { immutable: {
			days: s3["immutable-days"],
			mode: s3["immutable-mode"]
		} },
		encryption: {
			publicKey: config.backup.encryption?.["openpgp-key"],
			privateKey: inputs["backup-key"]
		},
		readBack: s3["read-back"],
		log: context.log.info
	});
	return [localStore(place), remote];
}
/** The environment tells the end only of its own credentials' session. */
function sessionEndFor(accessKeyId, { env }) {
	if (accessKeyId.reveal() !== env.AWS_ACCESS_KEY_ID?.trim()) return void 0;
	return sessionEndOf(env.AWS_CREDENTIAL_EXPIRATION);
}
/** The keys to the bucket; undefined when S3 is off. Throws an input error `missing-secret` when S3 is on and one was not given. */
function requireStoreKeys({ backup }, inputs) {
	if (!backup.s3?.enabled) return void 0;
	const [accessKeyId, secretAccessKey] = [inputs["s3-access-key-id"], inputs["s3-secret-access-key"]];
	if (!accessKeyId) throw missingKey("s3-access-key-id");
	if (!secretAccessKey) throw missingKey("s3-secret-access-key");
	return {
		accessKeyId,
		secretAccessKey
	};
}
function missingKey(name) {
	return inputError("missing-secret", `${name} is missing, and backup.s3 is on`, { hint: `Pass ${name} from a secret, or set backup.s3.enabled to false.` });
}

// src/action/with-tools.ts
/**
* Opens everything a job may touch, runs it, and closes everything whatever happens: the composition root, the only
* place that knows which host, stack, drivers and stores there are. A cancelled action gives its lock back at once;
* work that still runs on the host keeps it to its end.
*/
async function withTools(inputs, context, options, job) {
	const config = await loadConfig(inputs, context);
	if (options.usesStores) requireStoreKeys(config, inputs);
	const definition = options.installs ? await readDefinition(config, inputs, context) : [];
	await using connection = await openHost(config, inputs, context);
	const paths = layout(config);
	const { name } = options;
	const places = options.apart ? apart(paths, name) : paths;
	const held = options.mutates ? await openChanges(connection, {
		config,
		inputs,
		context,
		name,
		places
	}) : lookOnly(connection, name);
	const { host } = held;
	await using runner = options.onRunner ? localHost({ log: context.log.info }) : void 0;
	try {
		const opened = {
			config,
			layout: paths,
			host,
			stack: composeStack({
				host,
				config
			}),
			drivers: serviceDrivers(),
			stores: options.usesStores ? openStores(host, {
				config,
				inputs,
				context
			}) : [],
			work: held.work,
			lease: held.lease,
			definition,
			log: context.log,
			clock: systemClock,
			run: context.run,
			signal: context.signal
		};
		const tools = runner ? {
			...opened,
			runner: onRunner(opened, runner, {
				inputs,
				context
			})
		} : opened;
		let undone;
		if (options.mutates && !options.apart) {
			await settleUpgrade(tools);
			undone = await finishInterrupted(tools, { cures: name === "restore" });
			await settleDeployment(tools);
		}
		const result = await job(undone === void 0 ? tools : {
			...tools,
			undone
		});
		await held.end("done");
		return result;
	} catch (error) {
		await held.end("failed");
		throw error;
	}
}
/** Its folder has one name for each environment, so that the next run finds what a killed one left. */
function onRunner(tools, host, { inputs, context }) {
	const { config, log, signal } = tools;
	const folder = (0, node_path.join)(context.env.RUNNER_TEMP ?? (0, node_os.tmpdir)(), `infra-actions-${config.project}-${config.environment}`);
	const { id, dryRun } = tools.work;
	const work = dryRun ? tools.work : plainWork(host, {
		id,
		log: log.step,
		signal
	});
	const stores = tools.stores.length > 0 ? openStores(host, {
		config,
		inputs,
		context,
		directory: folder
	}) : [];
	const layout = {
		...tools.layout,
		base: folder,
		backups: folder
	};
	return {
		...tools,
		host,
		work,
		stores,
		layout,
		stack: composeStack({
			host,
			config
		}),
		lease: void 0
	};
}
async function readDefinition(config, inputs, { directory }) {
	const folder = (0, node_path.dirname)((0, node_path.resolve)(directory, inputs.config));
	return Promise.all(config.compose.upload.map(async (path) => {
		try {
			return {
				path,
				content: await (0, node_fs_promises.readFile)((0, node_path.join)(folder, path))
			};
		} catch (error) {
			throw inputError("upload-missing", `compose.upload: ${path} cannot be read: ${messageOf(error)}`, {
				hint: "Paths are relative to infra.yml in the checkout.",
				cause: error
			});
		}
	}));
}

// src/action/shared-inputs.ts
/** Which stack, and how its host is reached: every action takes these. */
const connectionInputs = {
	config: input(require_libraries.string$1().default("infra.yml"), {
		description: "Path of the configuration, in the checkout.",
		placeholder: "FILE"
	}),
	environment: input(require_libraries.string$1().default("production"), {
		description: "Environment whose overrides in the configuration apply; part of every path of state on the host.",
		placeholder: "NAME"
	}),
	"ssh-key": input(secret("ssh-key").optional(), {
		description: "Private key to log in to the host, in OpenSSH or PEM form. Not needed when `host.address` is `local`.",
		secret: true,
		env: ["SSH_KEY"]
	}),
	"ssh-passphrase": input(secret("ssh-passphrase").optional(), {
		description: "Passphrase of `ssh-key`, when it has one.",
		secret: true,
		env: ["SSH_PASSPHRASE"]
	}),
	"ssh-known-hosts": input(require_libraries.string$1().optional(), {
		description: "Lines of a known_hosts file that hold the host's key, as `ssh-keyscan` prints them. This or `ssh-fingerprint` is needed: no unknown host is trusted.",
		env: ["SSH_KNOWN_HOSTS"],
		placeholder: "LINES"
	}),
	"ssh-fingerprint": input(require_libraries.string$1().regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, "use the form `SHA256:...` that `ssh-keygen -lf` prints").optional(), {
		description: "Fingerprint of the host's key, `SHA256:...`, instead of `ssh-known-hosts`.",
		env: ["SSH_FINGERPRINT"],
		placeholder: "SHA256"
	})
};
/** Access to the bucket of backups: actions that write or read backups take these. */
const storeInputs = {
	"s3-access-key-id": input(secret("s3-access-key-id").optional(), {
		description: "Access key of the bucket. Needed when `backup.s3` is on. It stays on the runner.",
		secret: true,
		env: ["S3_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"],
		family: "s3"
	}),
	"s3-secret-access-key": input(secret("s3-secret-access-key").optional(), {
		description: "Secret of `s3-access-key-id`.",
		secret: true,
		env: ["S3_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"],
		family: "s3"
	}),
	"s3-session-token": input(secret("s3-session-token").optional(), {
		description: "Session token, when the access key is a temporary one.",
		secret: true,
		env: ["S3_SESSION_TOKEN", "AWS_SESSION_TOKEN"],
		family: "s3"
	})
};
/** Opens the encrypted copies in S3: actions that restore take it. */
const backupKey = input(secret("backup-key").optional(), {
	description: "Armored private OpenPGP key of `backup.encryption`, without passphrase. Needed when a copy in S3 is encrypted. It stays on the runner.",
	secret: true,
	env: ["BACKUP_KEY"]
});
const lockNumber = input(wholeNumber.optional(), {
	description: "Number of a lock that an earlier job of this run took (output `lock-number` of `lock`). Without it the action takes the lock by itself and gives it back.",
	placeholder: "NUMBER"
});
const lockWait = input(time$1.optional(), {
	description: "How long to wait for another holder of the lock, such as `10m`; `lock.wait` of the configuration unless told.",
	placeholder: "DURATION"
});
/** What every action that changes the host takes. */
const changeInputs = {
	"dry-run": input(boolean.default(false), { description: "Show the exact commands that would change the host, and change nothing." }),
	"lock-number": lockNumber,
	"lock-wait": lockWait
};
/** What replaces an OpenVidu server takes it. */
const endSessions = input(boolean.default(false), { description: "Replace an OpenVidu server also while sessions are live on it, which ends them." });
/** A list of services of the stack; the description says what is taken without it. */
function servicesInput(description) {
	return input(words$1.optional(), {
		description,
		placeholder: "NAMES"
	});
}

// actions/backup/contract.ts
const backupContract = {
	name: "backup",
	description: "Dumps every data service, proves the dump, stores it on the host and in S3, and applies retention.",
	mutates: true,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...storeInputs,
		...changeInputs,
		services: servicesInput("Data services to back up; every one unless told.")
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"backup-id": require_libraries.string$1().describe("Id of the proven backup, `backup-YYYYMMDD-HHMMSS`; empty without one."),
		"backup-location": require_libraries.string$1().describe("Its manifest's path on the host, or its address in S3."),
		"backup-size": require_libraries.int().min(0).describe("Bytes of all its files."),
		"storage-local": require_libraries._enum(["success", "failed"]).describe("`success` or `failed`."),
		"storage-s3": require_libraries._enum([
			"success",
			"failed",
			"off"
		]).describe("`success`, `failed` or `off`.")
	}),
	negative: {
		...notDone,
		"backup-id": "",
		"backup-location": "",
		"backup-size": 0,
		"storage-local": "failed",
		"storage-s3": "failed"
	}
};

// actions/backup/action.ts
const backupAction = action(backupContract, (inputs, context) => withTools(inputs, context, {
	name: "backup",
	mutates: true,
	usesStores: true
}, async (tools) => {
	const done = await backup(tools, inputs.services ? { services: inputs.services } : {});
	const { id, storage, services } = done.manifest;
	return {
		outputs: {
			status: done.status,
			reason: tools.work.dryRun ? "dry-run" : done.s3Failure === void 0 ? "done" : "s3-failed",
			"backup-id": id,
			"backup-location": `${tools.layout.backups}/${manifestFile(id)}`,
			"backup-size": totals(services).bytes,
			"storage-local": "success",
			"storage-s3": storage.s3
		},
		summary: summaryOf$7(done)
	};
}));
function summaryOf$7({ manifest, s3Failure, repaired, retention }) {
	const files = manifest.services.flatMap(({ service, artifacts }) => artifacts.map((one) => [
		service,
		one.name,
		formatBytes(one.bytes),
		one.sha256.slice(0, 12)
	]));
	const { tables, rows, keys } = totals(manifest.services);
	const kept = retention.map(({ store, decisions, removed }) => [
		store,
		String(decisions.length - removed.length),
		String(removed.length)
	]);
	return [
		summaryTable(`Backup ${manifest.id}`, [
			"Service",
			"What",
			"Size",
			"SHA-256"
		], files),
		`${tables} tables with ${rows} rows, ${keys} keys; counted in the dump's own snapshot and decoded to the end.\n`,
		s3Failure === void 0 ? `S3: ${manifest.storage.s3}.\n` : `**S3 does not have it**: ${s3Failure}\n`,
		...repaired.map(({ id, store, failure }) => failure === void 0 ? `The copy of ${id} that ${store} lacked is there again.\n` : `**${store} still lacks its copy of ${id}**: ${failure}\n`),
		summaryTable("Retention", [
			"Store",
			"Kept",
			"Removed"
		], kept)
	].join("\n");
}

// src/action/run-post.ts
/** Runs an action's post step: it undoes only what main recorded, and warns instead of failing the job. */
async function runPost(contract, post) {
	const runtime = actionsRuntime();
	try {
		const state = (name) => runtime.env[`STATE_${name}`] || void 0;
		await post(readInputs(contract, runtime), contextOf(runtime, abortOnSignals()), state);
	} catch (error) {
		runtime.log.warning(`After the job: ${messageOf(error)}`);
	}
	process.exit(0);
}

// src/job/left-on-host.ts
/**
* All that restores, upgrades and transfers put aside and kept on the host: replaced databases and keys, data directories,
* damaged and half written files. Looks only. A place that cannot be looked at is told, never taken for empty (S7).
*/
async function leftOnHost(tools) {
	const items = [];
	const unknown = [];
	const look = async (where, found) => {
		try {
			items.push(...await found());
		} catch (error) {
			if (tools.signal.aborted) throw error;
			unknown.push(`${where} could not be looked at: ${messageOf(error)}`);
		}
	};
	await look(tools.layout.backups, async () => {
		const files = await strayFiles(tools);
		const ours = files.some(({ state }) => state === "damaged") ? await artifactsHere(tools) : /* @__PURE__ */ new Set();
		return files.map((file) => asItem(file, ours));
	});
	await look("the data services", async () => {
		const now = await hostNow(tools);
		for (const one of await dataServices(tools)) {
			const { name } = one.service;
			const kept = (all) => all.map((data) => keptItem(name, data, now));
			await look(`what restores replaced in ${name}`, async () => kept(await replacedIn(one)));
			await look(`what lies beside the data of ${name}`, async () => one.container ? kept(await asidesOf(tools, one)) : []);
		}
		return [];
	});
	return {
		items,
		unknown
	};
}
async function replacedIn({ container, driver, service }) {
	if (!driver.replaced) return [];
	if (container?.state !== "running") throw failure("not-running", `${service.name} does not run`);
	return driver.replaced(service, container);
}
function keptItem(service, { name, was, at, bytes }, now) {
	return {
		name,
		what: was,
		service,
		bytes,
		age: at === void 0 ? void 0 : now.getTime() - Date.parse(at),
		removal: at === void 0 ? "by-hand" : "clean"
	};
}
/** Damaged files that a good copy took the place of, and half written ones. */
async function strayFiles({ host, layout }) {
	const { stdout } = await host.run(script("read", remoteScript("store-left"), [layout.backups]));
	const lines = stdout.trimEnd().split("\n");
	const now = Number(/^now (\d+)$/.exec(lines.pop() ?? "")?.[1]);
	if (!Number.isFinite(now)) throw failure("list-cut", `the list of files in ${layout.backups} is not whole`);
	return lines.map((line) => {
		const [size, changed, name = ""] = line.split(" ");
		const path = Buffer.from(name, "base64").toString();
		const [, damaged, at] = /^(.+)\.damaged\.(\d{9,11})$/s.exec(path) ?? [];
		const since = at === void 0 ? Number(changed) : Number(at);
		return {
			path,
			of: damaged ?? path.replace(/\.partial(\..*)?$/s, ""),
			state: damaged === void 0 ? "partial" : "damaged",
			bytes: Number(size),
			age: (now - since) * 1e3
		};
	});
}
async function artifactsHere({ stores }) {
	const { backups } = await localStore$1(stores).list();
	return new Set(backups.flatMap(({ manifest }) => artifactFiles(manifest)));
}
function asItem({ path, of, state, bytes, age }, ours) {
	const file = {
		name: path,
		service: void 0,
		bytes,
		age
	};
	if (state === "partial") return {
		...file,
		what: `a beginning of ${of}`,
		removal: "next-backup"
	};
	return {
		...file,
		what: `a damaged copy of ${of}`,
		removal: ours.has(of) ? "clean" : "by-hand"
	};
}

// src/job/list-backups.ts
/**
* Every backup of this environment in each store, with why it stays and whether the stores agree. A store that cannot be
* listed is a problem that is told, never an empty list; when none can be, this throws the first one's error.
*/
async function listBackups(tools, { verify = false } = {}) {
	const problems = [];
	const lists = [];
	const errors = [];
	for (const store of tools.stores) try {
		const { backups, unreadable } = await store.list();
		lists.push({
			store,
			manifests: backups.map(({ manifest }) => manifest)
		});
		problems.push(...unreadable.map((one) => `${store.name}: ${one} is no readable manifest`));
	} catch (error) {
		if (tools.signal.aborted) throw error;
		errors.push(error);
		problems.push(`${store.name} could not be listed: ${messageOf(error)}`);
	}
	if (lists.length === 0) throw errors[0];
	const drills = await knownDrills(tools, lists.map(({ store }) => store));
	problems.push(...drills.problems);
	const inventories = [];
	for (const one of lists) inventories.push(await inventoryOf(tools, one, {
		verify,
		problems,
		drills: drills.records
	}));
	const entries = backupInventory(inventories, {
		now: tools.clock.now(),
		configured: tools.stores.map(({ name }) => name),
		drills: drills.records
	});
	for (const { id, copies } of entries) for (const { store, drill } of copies) if (drill?.result === "failed") problems.push(`${store}: the last drill of ${id}, of ${drill.at}, failed: ${drill.reason}`);
	const differing = entries.filter(({ sync }) => sync === "differs");
	for (const { id } of differing) problems.push(`${id} is not the same in both stores: their manifests name other bytes`);
	return {
		entries,
		problems
	};
}
async function inventoryOf(tools, { store, manifests }, { verify, problems, drills }) {
	const items = retentionItems(store.name, manifests, drills);
	const decisions = await retentionOf(tools, items);
	const doubt = clockDoubt(store.name, decisions);
	if (doubt !== void 0) problems.push(doubt);
	if (!verify) return {
		store: store.name,
		manifests,
		decisions
	};
	const found = /* @__PURE__ */ new Map();
	for (const manifest of manifests) {
		const differences = await differencesOf(tools, store, manifest);
		found.set(manifest.id, differences);
		problems.push(...differences.map((one) => `${store.name}: ${manifest.id}: ${one}`));
	}
	return {
		store: store.name,
		manifests,
		decisions,
		problems: found
	};
}
/** One manifest that cannot be checked must not hide what is wrong with the others. */
async function differencesOf(tools, store, manifest) {
	try {
		return await store.verify(manifest);
	} catch (error) {
		if (tools.signal.aborted) throw error;
		return [`could not be checked: ${messageOf(error)}`];
	}
}

// actions/backups/contract.ts
const backupsContract = {
	name: "backups",
	description: "Lists the backups of every store with why each is kept and whether the stores agree, or applies retention.",
	mutates: true,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...storeInputs,
		...changeInputs,
		mode: input(require_libraries._enum(["list", "prune"]).default("list"), {
			description: "`list` only looks and takes no lock; `prune` applies the retention policy to each store now, and with `dry-run` shows what it would remove.",
			placeholder: "MODE"
		}),
		verify: input(boolean.default(false), { description: "With `list`: read every local file and look at every object in S3 again, and compare their checksums with the manifests." })
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		backups: require_libraries.string$1().describe("The backups as a JSON array, newest first: `id`, `created`, `age-seconds`, `bytes`, `services`, `sync` and, in `copies`, per store `proven` (`restored` by a drill, or the tier of its bytes), `drill` (the last one's `at`, `result`, `reason`, `rto-seconds`, `rpo-seconds`), `keep`, `reasons`, `locked-until`, `problems`."),
		count: require_libraries.int().min(0).describe("Number of backups, each counted once."),
		removed: require_libraries.int().min(0).describe("Number of copies that `prune` removed, or would remove in a dry run."),
		"newest-proven": require_libraries.string$1().describe("Id of the newest backup that some store holds proven; empty without one."),
		"newest-age-seconds": require_libraries.int().min(-1).describe("Age of `newest-proven`; -1 without one."),
		left: require_libraries.string$1().describe("With `list`: what lies on the host besides (replaced databases and keys, data directories that were set aside, damaged and half written files) as a JSON array: `name`, `what`, `service`, `bytes`, `age-seconds` and `removal` (`clean`: `restore` with `mode: clean`; `next-backup`; `by-hand`).")
	}),
	negative: {
		...notDone,
		backups: "[]",
		count: 0,
		removed: 0,
		"newest-proven": "",
		"newest-age-seconds": -1,
		left: "[]"
	}
};

// actions/backups/action.ts
/** What is wrong with a copy or a store makes it `partial`: the list is right, the backups are not all as they should be. */
const backupsAction = action(backupsContract, (inputs, context) => {
	const prunes = inputs.mode === "prune";
	return withTools(inputs, context, {
		name: "backups",
		mutates: prunes,
		usesStores: true
	}, async (tools) => {
		const reports = prunes ? await applyRetention(tools, await knownDrills(tools, tools.stores)) : [];
		const list = await listBackups(tools, { verify: inputs.verify });
		const left = prunes ? {
			items: [],
			unknown: []
		} : await leftOnHost(tools);
		for (const one of [...list.problems, ...left.unknown]) tools.log.warning(one);
		const { entries } = list;
		const newest = entries.find(({ copies }) => copies.some(isGood));
		const reason = reports.some(({ failure }) => failure !== void 0) ? "prune-failed" : list.problems.length > 0 ? "problems-found" : "done";
		return {
			outputs: {
				status: reason === "done" ? "success" : "partial",
				reason: reason === "done" && prunes && tools.work.dryRun ? "dry-run" : reason,
				backups: JSON.stringify(entries.map(shown$1)),
				count: entries.length,
				removed: reports.flatMap(({ removed }) => removed).length,
				"newest-proven": newest?.id ?? "",
				"newest-age-seconds": newest ? Math.max(0, Math.floor(newest.age / 1e3)) : -1,
				left: JSON.stringify(left.items.map(shownLeft))
			},
			summary: `${summaryOf$6(list)}${summaryOfLeft(left)}`
		};
	});
});
/** Proven, not disproved by its last drill, and nothing was found wrong with it now. */
function isGood({ proven, problems = [] }) {
	return proven !== "unproven" && problems.length === 0;
}
/** As the output has it: names of the outputs' own style, times in seconds. */
function shown$1({ age, copies, ...entry }) {
	const held = copies.map(({ lockedUntil, drill, ...copy }) => ({
		...copy,
		...lockedUntil && { "locked-until": lockedUntil },
		...drill && { drill: renamed(drill) }
	}));
	return {
		...entry,
		"age-seconds": Math.floor(age / 1e3),
		copies: held
	};
}
function renamed({ at, result, reason, rtoSeconds, rpoSeconds }) {
	return {
		at,
		result,
		reason,
		"rto-seconds": rtoSeconds,
		"rpo-seconds": rpoSeconds
	};
}
function summaryOf$6({ entries, problems }) {
	const rows = entries.map(({ id, age, bytes, services, sync, copies }) => [
		id,
		age < 0 ? "in the future" : formatDuration(age),
		formatBytes(bytes),
		services.join(", "),
		copies.map(proof).join("; "),
		sync,
		copies.map(whyKept).join("; ")
	]);
	return [
		summaryTable(`${entries.length} backups`, [
			"Backup",
			"Age",
			"Size",
			"Services",
			"Proven",
			"Stores",
			"Why kept"
		], rows),
		...problems.map((one) => `- **${one}**`),
		""
	].join("\n");
}
function shownLeft({ age, ...item }) {
	return {
		...item,
		"age-seconds": age === void 0 ? null : Math.floor(age / 1e3)
	};
}
const removals = {
	clean: "`restore` with `mode: clean`",
	"next-backup": "the next backup",
	"by-hand": "by hand, if nobody needs it: it does not say that it is ours"
};
function summaryOfLeft({ items, unknown }) {
	if (items.length === 0 && unknown.length === 0) return "";
	const rows = items.map(({ name, what, bytes, age, removal }) => [
		name,
		what,
		formatBytes(bytes),
		age === void 0 ? "unknown" : formatDuration(Math.max(0, age)),
		removals[removal]
	]);
	return [
		`\n${summaryTable(`${items.length} things besides lie on the host`, [
			"Name",
			"What it is",
			"Size",
			"Age",
			"What removes it"
		], rows)}`,
		...unknown.map((one) => `- **${one}**`),
		""
	].join("\n");
}
function proof({ store, proven, drill }) {
	if (!drill) return `${store}: ${proven}`;
	const measured = `${drill.rtoSeconds === null ? "never usable" : `RTO ${formatDuration(drill.rtoSeconds * 1e3)}`}, RPO ${formatDuration(drill.rpoSeconds * 1e3)}`;
	return `${store}: ${proven} (drill of ${drill.at.slice(0, 16)}Z: ${drill.result}, ${measured})`;
}
function whyKept({ store, keep, reasons, lockedUntil }) {
	const until = reasons.includes("locked") ? ` until ${lockedUntil}` : "";
	return `${store}: ${keep ? "" : "goes: "}${reasons.join(", ")}${until}`;
}

// src/core/combine-health.ts
/**
* The stack's status from its services', the worst first: missing, unhealthy, healthy. A service whose state is unknown
* makes the stack unhealthy and critical; one that is degraded works, so the stack stays healthy (a warning must never
* lead to a recreation) but the exit code is 1. Throws `failed` `health-empty` without a service: nothing looked at is not healthy.
*/
function combineHealth(services, timestamp) {
	if (services.length === 0) throw failure("health-empty", "no infrastructure service was looked at", { hint: "Give the data services the profile named by compose.profiles.infrastructure." });
	const exitCode = Math.max(...services.map(severity));
	const broken = services.some(({ health: { state } }) => state === "unhealthy" || state === "unknown");
	const status = exitCode === 3 ? "missing" : broken ? "unhealthy" : "healthy";
	const entries = services.map(({ service, health }) => [service, {
		status: health.state,
		details: health.details
	}]);
	return {
		report: {
			status,
			services: Object.fromEntries(entries),
			timestamp
		},
		exitCode
	};
}
function severity({ health, fixable }) {
	switch (health.state) {
		case "healthy": return 0;
		case "degraded": return 1;
		case "unhealthy": return fixable ? 1 : 2;
		case "unknown": return 2;
		case "missing": return 3;
	}
}

// src/job/host-checks.ts
/** With less free than this share, a disk is as good as full: Postgres stops, dumps cannot be written. */
const full = .02;
/** Looks at the disks behind the base directory, the backups and Docker, and at the data services' mounts, in one round trip. */
async function checkHost(tools, data) {
	const { base, backups } = tools.layout;
	const mounts = data.flatMap(({ service, container }) => container?.state === "running" ? container.mounts.filter((mount) => mount.type !== "tmpfs" && mount.writable).map((mount) => [
		service.name,
		container.id,
		mount.target
	]) : []);
	const look = script("read", remoteScript("host-facts"), [
		2,
		base,
		backups,
		...mounts.flat()
	]);
	const { stdout } = await tools.host.run(look, { timeout: 12e4 });
	return parseHostFacts(stdout, tools.config.thresholds["disk-free"]);
}
/** Reads what `host-facts.sh` printed; `limit` is the share of free space below which a disk is warned of. */
function parseHostFacts(output, limit) {
	const disks = /* @__PURE__ */ new Map();
	const volumes = /* @__PURE__ */ new Map();
	for (const line of output.split("\n")) {
		const [kind, first = "", second = "", third = "", why = ""] = line.split("	");
		if (kind === "disk") disks.set(first, diskCheck(first, second, third, limit));
		if (kind === "write") volumes.set(first, [...volumes.get(first) ?? [], volumeCheck(second, third, why)]);
	}
	return {
		disks: [...disks.values()],
		volumes
	};
}
function diskCheck(path, size, free, limit) {
	const name = `disk ${path}`;
	if (size === "unknown") return {
		name,
		state: "unknown",
		detail: free
	};
	const share = Number(free) / Number(size);
	const detail = `${gibibytes(free)} of ${gibibytes(size)} GiB free (${Math.round(share * 100)} %)`;
	if (!Number.isFinite(share)) return {
		name,
		state: "unknown",
		detail: "the disk has no size"
	};
	return {
		name,
		state: share < Math.min(full, limit) ? "failed" : share < limit ? "warning" : "ok",
		detail
	};
}
function volumeCheck(target, state, why) {
	const name = `volume ${target}`;
	if (state === "ok") return {
		name,
		state: "ok",
		detail: "mounted and writable"
	};
	if (state === "failed") return {
		name,
		state: "failed",
		detail: "mounted, and the service may not write there"
	};
	return {
		name,
		state: "unknown",
		detail: why || "could not be looked at"
	};
}
function gibibytes(kibibytes) {
	return (Number(kibibytes) / 1048576).toFixed(1);
}

// src/job/unfinished.ts
/** What the notes of earlier runs on the host say. A run that is at work at this moment counts as one that was cut off. */
async function unfinishedOf(tools) {
	const [stopped, upgrades, deployment] = await Promise.all([
		readStoppedApp(tools),
		readUpgrades(tools),
		readUnfinished(tools)
	]);
	const waiting = await stillWaits(tools, stopped);
	if (waiting && waiting.restoring === void 0 && waiting.undoing === void 0) return "restore";
	return waiting !== void 0 || stopped?.awaits === "services" || upgrades.length > 0 || deployment ? "run" : "no";
}

// src/job/check-infra.ts
/** The name under which disks are reported beside the services. */
const hostName = "host";
/**
* Looks at the infrastructure and changes nothing: containers, restarts, networks, deep probes, volumes, disks, and
* whether there is data. Two rounds of questions to the host, each asked at once. A host or an engine that gives no answer is
* an error, never "unhealthy".
*/
async function checkInfra(tools) {
	const [services, definition, containers] = await Promise.all([
		servicesOf$1(tools, "infrastructure"),
		tools.stack.definition(),
		tools.stack.containers()
	]);
	const current = services.map((one) => ({
		...one,
		container: copiesOf(containers, one)[0]
	}));
	const data = current.filter((one) => dataKinds.includes(one.service.kind));
	const [probes, host, presence, unfinished] = await Promise.all([
		Promise.all(current.map((one) => probe(one))),
		checkHost(tools, data),
		dataPresence(tools, data),
		unfinishedOf(tools)
	]);
	return {
		...conclude(tools, [...current.map((one, index) => combine(tools, {
			one,
			copies: copiesOf(containers, one),
			probed: probes[index],
			host,
			definition
		})), hostFinding(host)], presence),
		unfinished
	};
}
function copiesOf(containers, { service }) {
	return byUse(containers.filter((one) => one.service === service.name));
}
/** Undefined where there is nothing to probe. A probe that gives no answer in time is unknown; a lost host is an error. */
async function probe({ driver, service, container, definition }) {
	if (!container) return void 0;
	if (definition.oneShot) return oneShotHealth(container);
	try {
		return await driver.probe(service, container);
	} catch (error) {
		if (!(error instanceof HostError && error.fault === "timeout")) throw error;
		return {
			state: "unknown",
			checks: [{
				name: "probe",
				state: "unknown",
				detail: messageOf(error)
			}],
			details: {}
		};
	}
}
function oneShotHealth({ state, exitCode }) {
	const check = {
		name: "one-shot",
		state: state === "exited" && exitCode === 0 ? "ok" : "failed",
		detail: `${state} with exit code ${exitCode}`
	};
	return {
		state: healthOf$1([check]),
		checks: [check],
		details: {}
	};
}
function combine(tools, { one, copies, probed, host, definition }) {
	const service = one.service.name;
	const { container } = one;
	if (!container || !probed) return {
		service,
		health: {
			state: "missing",
			checks: [{
				name: "container",
				state: "failed",
				detail: "there is none"
			}],
			details: {}
		},
		fixable: false
	};
	const now = tools.clock.now();
	const more = [...containerChecks(copies, one.definition, definition, {
		restarts: tools.config.thresholds.restarts,
		now
	}), ...host.volumes.get(service) ?? []];
	const checks = [...probed.checks, ...more];
	return {
		service,
		health: {
			state: worse(probed.state, healthOf$1(more)),
			checks,
			details: {
				...probed.details,
				...factsOf(container, now),
				...problemsOf$1(checks)
			}
		},
		fixable: [
			"exited",
			"created",
			"paused"
		].includes(container.state)
	};
}
function factsOf(container, now) {
	const uptime = uptimeOf(container, now);
	return {
		container: container.state,
		restarts: container.restarts,
		...uptime === void 0 ? {} : { "uptime-seconds": Math.round(uptime / 1e3) }
	};
}
function problemsOf$1(checks) {
	const problems = checks.filter((check) => check.state !== "ok").map((check) => `${check.name}: ${check.detail}`);
	return problems.length === 0 ? {} : { problems: problems.join("; ") };
}
const order = [
	"healthy",
	"degraded",
	"unknown",
	"unhealthy",
	"missing"
];
function worse(a, b) {
	return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
function hostFinding({ disks }) {
	const health = {
		state: healthOf$1(disks),
		checks: disks,
		details: problemsOf$1(disks)
	};
	return {
		service: hostName,
		health,
		fixable: false
	};
}
function conclude(tools, findings, data) {
	const looked = findings.length > 1 ? findings : [];
	const { report, exitCode } = combineHealth(looked, tools.clock.now().toISOString());
	for (const one of data) if (one.doubt !== void 0) tools.log.warning(`Whether ${one.place} of ${one.service} holds data is not known: ${one.doubt}`);
	return {
		status: report.status,
		healthy: report.status === "healthy",
		exitCode,
		report,
		dataPresent: data.some((one) => one.present),
		data,
		findings,
		checks: findings.flatMap(({ service, health }) => health.checks.map((check) => ({
			...check,
			name: `${service}: ${check.name}`
		})))
	};
}

// src/core/decision.ts
/** The jobs of a pipeline, in the order in which they may run. */
const jobNames = [
	"lock",
	"debug",
	"backup",
	"recreate",
	"restore",
	"verify",
	"deploy-app",
	"verify-deploy",
	"unlock"
];
/** Jobs that a person may ask for whatever the facts are. */
const forcibleJobs = [
	"backup",
	"recreate",
	"restore",
	"verify",
	"deploy-app"
];
/**
* What an earlier run left when it was cut off: nothing, something that the next run finishes, or an app that stays stopped
* until its data is restored.
*/
const unfinishedStates = [
	"no",
	"run",
	"restore"
];
/** The rows of the decision matrix; a stable code each. */
const rules = {
	"infra-changed": "infrastructure changed and there is data: back up, recreate, restore what is needed, verify",
	"infra-changed-fresh": "infrastructure changed and there is no data: create it, verify, deploy the app",
	"infra-lost": "infrastructure does not serve and there is no data: create it, verify, deploy the app",
	"infra-broken": "infrastructure does not serve and there is data: debug; where that fails, as if it had changed",
	unfinished: "the infrastructure is healthy, but an earlier run was cut off: finish it, check again, verify",
	"app-changed": "infrastructure is healthy and the app changed: deploy it",
	forced: "nothing changed and the infrastructure is healthy: only what was asked for",
	"nothing-to-do": "nothing changed and the infrastructure is healthy: nothing to do"
};
/** The first rule of the matrix that holds. A person's wish for `recreate` or `deploy-app` counts as a change. */
function ruleFor(facts) {
	const { infraStatus, dataPresent, unfinished, force } = facts;
	if (facts.infraChanged || force.includes("recreate")) return dataPresent ? "infra-changed" : "infra-changed-fresh";
	if (infraStatus !== "healthy") return dataPresent ? "infra-broken" : "infra-lost";
	if (unfinished === "run") return "unfinished";
	if (appWanted(facts)) return "app-changed";
	return force.length > 0 || unfinished === "restore" ? "forced" : "nothing-to-do";
}
/** The job to run now; undefined when the pipeline is at its end. Jobs that were not wanted are absent from `results` or `skipped`. */
function nextJob(facts, progress) {
	const last = jobNames.findLastIndex((job) => (progress.results[job] ?? "skipped") !== "skipped");
	return jobNames.slice(last + 1).find((job) => shouldRun(job, facts, progress));
}
/**
* Whether a job runs, given what the jobs before it said. After a failed or cancelled job nothing runs but `unlock`.
* Throws `failed` `answer-empty` when a job succeeded without the answer that the decision needs: that is never "no".
*/
function shouldRun(job, facts, progress) {
	const { results } = progress;
	const lockTried = (results.lock ?? "skipped") !== "skipped";
	if (job === "unlock") return lockTried;
	if (jobNames.slice(0, jobNames.indexOf(job)).map((name) => results[name] ?? "skipped").some((result) => result === "failure" || result === "cancelled")) return false;
	if (job === "lock") return ruleFor(facts) !== "nothing-to-do";
	return results.lock === "success" && wanted[job](facts, progress);
}
/** Whether `restore` must follow a recreation: `restore-needed` of `recreate`. Volumes survive it, so as a rule it must not. */
function restoreNeeded(policy, recreation) {
	const { dataIntact, backupMade } = recreation;
	return !dataIntact || policy === "always" && backupMade;
}
const wanted = {
	debug: (facts) => ["infra-broken", "unfinished"].includes(ruleFor(facts)),
	backup: (facts, progress) => facts.force.includes("backup") || facts.dataPresent && (recreates(facts, progress) || facts.force.includes("restore") || facts.migrationsChanged && facts.beforeMigrate),
	recreate: (facts, progress) => recreates(facts, progress) && (!facts.dataPresent || succeeded$1("backup", progress)),
	restore: (facts, progress) => facts.force.includes("restore") || succeeded$1("recreate", progress) && answered("restore-needed", progress.restoreNeeded),
	verify: (facts, progress) => facts.force.includes("verify") || [
		"debug",
		"recreate",
		"restore"
	].some((job) => succeeded$1(job, progress)),
	"deploy-app": (facts, progress) => appWanted(facts) || !facts.dataPresent && succeeded$1("recreate", progress),
	"verify-deploy": (_facts, progress) => succeeded$1("deploy-app", progress)
};
function recreates(facts, progress) {
	switch (ruleFor(facts)) {
		case "infra-changed":
		case "infra-changed-fresh":
		case "infra-lost": return true;
		case "infra-broken":
		case "unfinished": return succeeded$1("debug", progress) && answered("debug-status", progress.debugStatus) === "failed";
		default: return false;
	}
}
function appWanted({ appChanged, migrationsChanged, force }) {
	return appChanged || migrationsChanged || force.includes("deploy-app");
}
function succeeded$1(job, { results }) {
	return results[job] === "success";
}
function answered(output, value) {
	if (value !== void 0) return value;
	throw failure("answer-empty", `output ${output} is empty although its job succeeded`, { hint: "A secret whose value is a common word (such as true) makes outputs vanish: change it, then run again." });
}

// actions/check-infra/contract.ts
const checkInfraContract = {
	name: "check-infra",
	description: "Looks at containers, services, network, volumes and disk, and says whether the infrastructure is healthy.",
	mutates: false,
	inputs: require_libraries.strictObject({ ...connectionInputs }),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"infra-healthy": require_libraries.boolean().describe("Whether `infra-status` is `healthy`."),
		"infra-status": require_libraries._enum([
			"healthy",
			"unhealthy",
			"missing",
			"unknown"
		]).describe("`healthy`, `unhealthy` or `missing`; `unknown` only when the action failed."),
		"infra-details": require_libraries.string$1().describe("Report as JSON: state and details of each service."),
		"data-present": require_libraries.boolean().describe("Whether any data volume or directory of a data service holds something."),
		unfinished: require_libraries._enum(unfinishedStates).describe("`no`; `run`: the next run finishes one that was cut off; `restore`: the app stays stopped until one."),
		"exit-code": require_libraries.int().min(0).max(3).describe("0 healthy, 1 minor, 2 critical, 3 containers missing.")
	}),
	negative: {
		...notDone,
		"infra-healthy": false,
		"infra-status": "unknown",
		"infra-details": "{}",
		"data-present": true,
		unfinished: "no",
		"exit-code": 2
	}
};

// actions/check-infra/action.ts
/** An unhealthy stack is an answer, not a failed step: what follows from it is decided by the jobs after it. */
const checkInfraAction = action(checkInfraContract, (inputs, context) => withTools(inputs, context, {
	name: "check-infra",
	mutates: false
}, async (tools) => {
	const seen = await checkInfra(tools);
	if (seen.unfinished !== "no") tools.log.warning(unfinishedTexts[seen.unfinished]);
	for (const { name, state, detail } of seen.checks) if (state !== "ok") tools.log.warning(`${name}: ${detail}`);
	return {
		outputs: {
			status: "success",
			reason: "done",
			"infra-healthy": seen.healthy,
			"infra-status": seen.status,
			"infra-details": JSON.stringify(seen.report),
			"data-present": seen.dataPresent,
			unfinished: seen.unfinished,
			"exit-code": seen.exitCode
		},
		summary: summaryOf$5(seen),
		exitCode: seen.exitCode
	};
}));
const unfinishedTexts = {
	run: "an earlier run was cut off: the next one that changes anything finishes it",
	restore: "the app stays stopped until its data is restored"
};
function summaryOf$5({ status, checks, dataPresent, unfinished }) {
	const rows = checks.map(({ name, state, detail }) => [
		name,
		state,
		detail
	]);
	const left = unfinished === "no" ? "" : `, ${unfinishedTexts[unfinished]}`;
	const title = `Infrastructure: ${status}, ${dataPresent ? "data present" : "no data"}${left}`;
	return summaryTable(title, [
		"Check",
		"State",
		"Detail"
	], rows);
}

// src/job/debug/circuit.ts
/** So many runs that found and failed to mend the same within `window` open the circuit. */
const limit = 3;
const window = 36e5;
/** Whether the same trouble was tried in vain so often lately that trying again would be a loop (S10). */
async function circuitOpen(tools, issues) {
	const file = historyFile(tools);
	const { stdout } = await tools.host.run(sh`if [ -e ${file} ]; then tail -n 50 ${file}; fi`);
	const since = tools.clock.now().getTime() - window;
	return stdout.split("\n").filter((line) => {
		const entry = read$2(line);
		return entry && !entry.fixed && entry.trouble === trouble(issues) && Date.parse(entry.time) >= since;
	}).length >= limit;
}
/** Writes down how a run ended that tried fixes. */
async function noteOutcome(tools, issues, fixed) {
	const file = historyFile(tools);
	const entry = JSON.stringify({
		time: tools.clock.now().toISOString(),
		trouble: trouble(issues),
		fixed
	});
	await tools.work.step("note-outcome", change`mkdir -p -m 700 ${tools.layout.state} && printf '%s\\n' ${entry} >>${file}`);
}
const entrySchema = require_libraries.object({
	time: require_libraries.string$1(),
	trouble: require_libraries.string$1(),
	fixed: require_libraries.boolean()
});
function read$2(line) {
	try {
		return entrySchema.safeParse(JSON.parse(line)).data;
	} catch {
		return;
	}
}
function trouble(issues) {
	return issues.map((issue) => `${issue.service}:${issue.cause}`).toSorted().join(" ");
}
function historyFile({ layout }) {
	return `${layout.state}/debug.jsonl`;
}

// src/job/debug/diagnose.ts
const lines = 100;
const longest$1 = 500;
/** Finds out what is wrong with the infrastructure, service by service. Changes nothing. */
async function diagnose(tools) {
	const [health, definition, containers] = await Promise.all([
		checkInfra(tools),
		tools.stack.definition(),
		tools.stack.containers()
	]);
	const mask = masker(definition);
	const sick = health.findings.filter((one) => one.health.state !== "healthy");
	const looked = await Promise.all(sick.map(async (finding) => {
		const container = byUse(containers.filter((one) => one.service === finding.service))[0];
		const log = container ? mask(await tools.stack.logs(container, lines)) : "";
		return {
			issue: toIssue(tools, finding, {
				container,
				log,
				mask
			}),
			log
		};
	}));
	return {
		health,
		issues: looked.map(({ issue }) => issue),
		logs: Object.fromEntries(looked.flatMap(({ issue, log }) => log.trim() === "" ? [] : [[issue.service, shorten(log)]]))
	};
}
/** What surrounds the stack on its host, for the report: engine, load, memory, networks, ports, use of each container. */
async function surroundings(tools) {
	const [{ stdout }, containers] = await Promise.all([tools.host.run(script("read", remoteScript("diagnostics")), { timeout: 12e4 }), tools.stack.stats()]);
	const facts = stdout.split("\n").filter((line) => line.includes("	")).map((line) => [line.slice(0, line.indexOf("	")), line.slice(line.indexOf("	") + 1)]);
	const all = (name) => facts.flatMap(([key, value]) => key === name ? [value] : []);
	return {
		host: Object.fromEntries(facts.filter(([key]) => key !== "network" && key !== "ports")),
		networks: all("network"),
		ports: all("ports"),
		containers
	};
}
function toIssue(tools, { service, health }, seen) {
	const checks = health.checks.filter((check) => check.state !== "ok");
	const { cause, details } = service === "host" ? {
		cause: health.state === "unknown" ? "unknown" : "disk-full",
		details: checks.map((check) => `${check.name}: ${check.detail}`).join("; ")
	} : nameCause({
		...seen,
		checks,
		restartLimit: tools.config.thresholds.restarts
	});
	return {
		service,
		severity: health.state === "degraded" ? "warning" : "critical",
		cause,
		details: seen.mask(details).replaceAll(/\s+/g, " ").slice(0, longest$1),
		suggestedFix: suggestions[cause]
	};
}
function shorten(log) {
	return log.trimEnd().split("\n").map((line) => line.slice(0, longest$1));
}
const suggestions = {
	missing: "create the container on the data that is there",
	stopped: "start the container",
	paused: "unpause the container",
	"restart-loop": "stop it, wait, start it again; then look at its log",
	"out-of-memory": "give the container or the host more memory",
	"disk-full": "free space: old backups by their retention, unused images, logs",
	"network-missing": "make the network again and reconnect the container",
	"port-conflict": "stop what holds the port, or publish another one",
	"bad-mount": "correct the path, its owner or its mode",
	"image-missing": "pull or push the image",
	"data-unreadable": "restore a backup, after a copy of the data directory as it is",
	unhealthy: "restart the container",
	unknown: "look at the log on the host"
};

// src/job/debug/fixes.ts
/** Servers that hold in memory what may not be on disk: never stopped by a fix while they run. */
const inMemory = [
	"dragonfly",
	"redis",
	"valkey"
];
/**
* The fixes that cannot lose data, for those issues that have one. Before a data service is started it is made sure that
* no other running container has its data mounted (S13): throws `data-in-use` otherwise.
*/
async function fixesFor(tools, issues, services, health) {
	const containers = await tools.stack.containers();
	const fixes = [];
	for (const issue of issues) {
		const known = services.find((one) => one.service.name === issue.service);
		if (!known) continue;
		const copies = byUse(containers.filter((one) => one.service === issue.service));
		const service = {
			...known,
			container: copies[0]
		};
		const fix = await fixFor(tools, issue, service, health);
		if (!fix) continue;
		if (dataKinds.includes(service.service.kind)) await assertSoleServer(tools, service);
		fixes.push({
			...fix,
			service
		});
	}
	return fixes;
}
async function fixFor(tools, { cause, service: name }, service, health) {
	const { stack } = tools;
	const { container } = service;
	if (!container) return cause === "missing" ? create$1(tools, service, health) : void 0;
	switch (cause) {
		case "stopped": return {
			name: `start-${name}`,
			command: stack.start([container])
		};
		case "paused": return {
			name: `unpause-${name}`,
			command: change`docker unpause ${container.id}`
		};
		case "network-missing": return {
			name: `reconnect-${name}`,
			command: await reconnect(tools, service, container)
		};
		case "restart-loop":
		case "unhealthy":
			if (container.state === "running" && inMemory.includes(service.service.kind)) return void 0;
			return {
				name: `restart-${name}`,
				command: change`${stack.stop([container])} && sleep 3 && ${stack.start([container])}`
			};
		default: return;
	}
}
/** A data service is created anew only on data that is there: on an empty directory it would start with nothing. */
function create$1({ stack }, { service: { name, kind } }, { data }) {
	const places = data.filter((one) => one.service === name);
	const whole = places.length > 0 && places.every((one) => one.present && one.doubt === void 0);
	if (dataKinds.includes(kind) && !whole) return void 0;
	const command = stack.up([name], {
		noDependencies: true,
		noRecreate: true,
		pull: "missing"
	});
	return {
		name: `create-${name}`,
		command
	};
}
/** `up` makes the network again, and then fails on a container that still refers to the old one: its code is no answer. */
async function reconnect({ stack }, { service, definition }, container) {
	const { networks } = await stack.definition();
	const names = definition.networks.map((key) => networks.find((one) => one.key === key)?.name ?? key);
	const up = stack.up([service.name], {
		noDependencies: true,
		noRecreate: true,
		pull: "never"
	});
	return names.map((network) => change`(${script("change", remoteScript("reconnect-network"), [
		network,
		service.name,
		container.id
	])}
) || exit\n`).reduce((all, join) => change`${all}${join}`, change`(${up}\n) || :\n`);
}

// src/job/debug.ts
/** Milliseconds before each try. */
const pauses = [
	0,
	5e3,
	15e3
];
/**
* Names what is wrong with the infrastructure and tries the fixes that cannot lose data, at most three times with growing
* pauses, checking again after each. Data is never touched. The same trouble that was tried in vain three times within an
* hour is left alone.
*/
async function debug(tools, { attempts = pauses.length } = {}) {
	const [first, around] = await Promise.all([diagnose(tools), surroundings(tools)]);
	for (const issue of first.issues) tools.log.warning(`${issue.service}: ${issue.cause} (${issue.details}); ${issue.suggestedFix}`);
	const fixes = [];
	const last = first.health.healthy ? first : await mend(tools, first, {
		attempts,
		fixes
	});
	const fixed = last.health.healthy;
	if (fixes.length > 0) await noteOutcome(tools, first.issues, fixed);
	return {
		status: fixed ? "fixed" : "failed",
		fixes,
		found: first.issues,
		left: last.issues,
		report: {
			timestamp: tools.clock.now().toISOString(),
			status: fixed ? "fixed" : "failed",
			issues: first.issues.map(toReport),
			left: last.issues.map(toReport),
			fixes_applied: fixes,
			resource_usage: around.host,
			containers: around.containers,
			networks: around.networks,
			ports: around.ports,
			disk: first.health.checks.filter((check) => check.name.startsWith("host: disk")),
			logs: first.logs
		}
	};
}
async function mend(tools, first, { attempts, fixes }) {
	if (await circuitOpen(tools, first.issues)) {
		tools.log.warning("The same was tried in vain three times within the last hour: it is left alone");
		return first;
	}
	let last = first;
	for (const pause of pauses.slice(0, attempts)) {
		const services = await servicesOf$1(tools, "infrastructure");
		const planned = await fixesFor(tools, last.issues, services, last.health);
		if (planned.length === 0) {
			tools.log.info("Nothing that is safe to do by itself would mend this");
			return last;
		}
		if (pause > 0 && !tools.work.dryRun) await tools.clock.sleep(pause, tools.signal);
		for (const fix of planned) {
			fixes.push(fix.name);
			await apply(tools, fix);
		}
		last = await tools.work.check("check-again", () => diagnose(tools), last);
		if (last.health.healthy || tools.work.dryRun) return last;
	}
	return last;
}
/** Does a fix and waits for the service as long as its health check may take. A fix in vain is told, not thrown: the next check judges. */
async function apply(tools, { name, command, service }) {
	try {
		await tools.work.step(name, command, { timeout: 3e5 + service.definition.stopGracePeriod });
		const budget = Math.max(6e4, service.definition.healthBudget ?? 0);
		await tools.work.check(`wait-${service.service.name}`, () => waitHealthy(tools, [service.definition], { budget }), void 0);
	} catch (error) {
		if (!(error instanceof AppError && !(error instanceof HostError) && error.code !== "lease-lost") || tools.signal.aborted) throw error;
		tools.log.warning(`${name} was in vain: ${messageOf(error)}`);
	}
}
function toReport({ service, severity, cause, details, suggestedFix }) {
	return {
		service,
		severity,
		issue: cause,
		details,
		suggested_fix: suggestedFix
	};
}

// actions/debug/contract.ts
const debugContract = {
	name: "debug",
	description: "Collects diagnostics, names the causes, tries the fixes that cannot lose data, and checks again.",
	mutates: true,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...changeInputs,
		attempts: input(wholeNumber.pipe(require_libraries.int().min(1).max(3)).default(3), {
			description: "How many times fixes are tried, 1 to 3, with growing pauses.",
			placeholder: "COUNT"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"debug-status": require_libraries._enum(["fixed", "failed"]).describe("`fixed` or `failed`. A `failed` one does not fail the step."),
		"debug-details": require_libraries.string$1().describe("Report as JSON: causes found and what was tried."),
		"fixes-applied": require_libraries.string$1().describe("Names of the fixes tried, separated by spaces.")
	}),
	negative: {
		...notDone,
		"debug-status": "failed",
		"debug-details": "{}",
		"fixes-applied": ""
	}
};

// actions/debug/action.ts
const debugAction = action(debugContract, (inputs, context) => withTools(inputs, context, {
	name: "debug",
	mutates: true
}, async (tools) => {
	const done = await debug(tools, { attempts: inputs.attempts });
	const { logs, ...report } = done.report;
	if (done.status === "failed") await context.log.group("Logs", async () => context.log.untrusted(JSON.stringify(logs, void 0, 2)));
	const fixed = done.status === "fixed";
	const { dryRun } = tools.work;
	return {
		outputs: {
			status: fixed || dryRun ? "success" : "partial",
			reason: dryRun ? "dry-run" : fixed ? "done" : "not-fixed",
			"debug-status": done.status,
			"debug-details": JSON.stringify(report),
			"fixes-applied": done.fixes.join(" ")
		},
		summary: summaryOf$4(done, dryRun),
		exitCode: fixed || dryRun ? 0 : 2
	};
}));
function summaryOf$4({ status, found, left, fixes }, dryRun) {
	const rows = found.map((issue) => [
		issue.service,
		issue.cause,
		issue.details,
		left.some((one) => one.service === issue.service && one.cause === issue.cause) ? "left" : "gone"
	]);
	const verb = dryRun ? "Would try" : "Tried";
	const tried = fixes.length > 0 ? `${verb}: ${fixes.join(", ")}.\n` : "Nothing was tried.\n";
	return `${summaryTable(`Debug: ${dryRun ? "dry run" : status}`, [
		"Service",
		"Cause",
		"Detail",
		"Now"
	], rows)}\n${tried}`;
}

// src/job/occupied.ts
/**
* Refuses to go on while people are connected to one of these services, whose replacement would cut them off, and where a
* server that serves does not say whether somebody is (S7).
*/
async function refuseWhileOccupied(tools, services) {
	for (const one of services) {
		if (!one.container || !one.driver.occupancy) continue;
		const { state, detail } = await one.driver.occupancy(one.service, one.container);
		const { name } = one.service;
		if (state === "free") tools.log.info(`${name}: ${detail}, nobody is cut off`);
		else if (state === "occupied") throw refusal("sessions-live", `${name} has ${detail}, which replacing it would end`, { hint: "Wait until they have ended, or run this again with `end-sessions: true`." });
		else throw refusal("sessions-unknown", `nobody can say whether sessions are live on ${name}: ${detail}`, { hint: `Set services.${name}.url in infra.yml to the server's base URL as the host sees it; its secret is read from OPENVIDU_SECRET of the container. Or run this again with \`end-sessions: true\`.` });
	}
}

// src/job/deploy-app.ts
/**
* Replaces the app's services, all or none, without a lost request where a proxy stands in front: new copies beside the
* old, healthy first, then nginx switched, the old ones drained, stopped and removed by id. New ones that do not get healthy
* are removed and the old never stopped. Refuses (`restore-first`) while the app waits for a restore. The release and its commit are recorded on the host, a bad one as bad.
*/
async function deployApp(tools, options = {}) {
	await assertNotWaiting(tools);
	const services = await rolledServices(tools);
	const history = await readHistory(tools);
	const previousReleaseId = currentRelease(history)?.id ?? "";
	const images = await pinImages(tools, services, options.images ?? {});
	await findProxy(tools, services.map((one) => one.name));
	await settleUnfinished(tools, services);
	const plan = await makePlan(tools, services, {
		images,
		options
	});
	const unchanged = await runsAlready(tools, plan);
	if (unchanged) tools.log.info("These images run already, in this configuration: nothing is restarted");
	else {
		if (!options.endSessions) await refuseWhileOccupied(tools, await servicesOf$1(tools, "app"));
		await attempt$2(tools, plan);
	}
	await keepImages(tools, {
		release: plan.release,
		images
	});
	await recordGood(tools, {
		release: plan.release,
		images: releaseImages(images)
	});
	return {
		status: unchanged ? "unchanged" : "success",
		releaseId: plan.release.id,
		previousReleaseId,
		images: releaseImages(images),
		interrupted: unchanged ? [] : plan.inPlace.map((one) => one.name)
	};
}
async function rolledServices(tools) {
	const all = await tools.stack.servicesOf("app");
	const services = all.filter((one) => !one.oneShot);
	if (services.length === 0) throw inputError("no-app-services", "the compose files have no service of the app", { hint: `Give the app's services the profile \`${tools.config.compose.profiles.app}\`, or name them in \`app.services\`.` });
	for (const one of all.filter((service) => service.oneShot)) tools.log.warning(`${one.name} runs to its end and is not started by a deployment`);
	return services;
}
async function makePlan(tools, services, { images, options }) {
	const commit = options.commit ?? tools.run.sha;
	const names = services.map((one) => one.name);
	const [proxy, old] = await Promise.all([findProxy(tools, names), copiesOf$1(tools, services)]);
	const inPlace = services.filter((one) => whyAlone(one) !== void 0);
	const [alone] = inPlace;
	if (proxy && alone) throw refusal("cannot-roll", `two copies of ${alone.name} cannot run side by side: ${whyAlone(alone)}`, { hint: "Take it out of the compose file (the proxy reaches the service by its container's name), or remove `app.proxy` to accept an interruption." });
	return {
		release: {
			id: options.releaseId ?? releaseId(tools.clock.now(), commit),
			commit
		},
		services,
		images,
		proxy,
		old,
		beside: services.filter((one) => !inPlace.includes(one)),
		inPlace
	};
}
/** Whether exactly the wanted copies run, healthy, of these images, and compose would change nothing about them. */
async function runsAlready(tools, { services, images, old, proxy }) {
	if (!services.every(({ name, replicas }) => {
		const copies = old.filter((one) => one.service === name);
		const wanted = pinnedOf(images, name).id;
		const same = copies.every((one) => isServing(one) && one.imageId === wanted && one.image === copies[0]?.image);
		return copies.length === replicas && same;
	}) || proxy && !proxied(old, proxy).every((one) => reaches(proxy, one))) return false;
	const started = Object.fromEntries(old.map((one) => [one.service, one.image]));
	const names = Object.keys(started);
	const plans = await Promise.all([tools.stack.plan(names, {
		images: started,
		noDependencies: true
	}), tools.stack.plan(names, { images: started })]);
	return services.every(({ name }) => plans.some((actions) => actions.some((one) => one.service === name && one.action === "keep")));
}
/** By its own name, or by its service's, which stands for every copy. */
function reaches({ now, service }, copy) {
	return now.targets.includes(copy.name) || now.targets.includes(service);
}
function proxied(copies, proxy) {
	return copies.filter((one) => one.service === proxy.service);
}
async function attempt$2(tools, plan) {
	const progress = {
		fresh: [],
		switched: false,
		replaced: []
	};
	try {
		await bringUp$1(tools, plan, progress);
	} catch (error) {
		if (tools.signal.aborted || error instanceof HostError || !(error instanceof AppError) || error.code === "lease-lost") throw error;
		tools.log.warning(`Release ${plan.release.id} does not serve: ${messageOf(error)}`);
		if (!await undone(tools, plan, progress)) throw error;
		await recordBad(tools, {
			release: plan.release,
			images: releaseImages(plan.images),
			why: messageOf(error)
		});
		throw error;
	}
	if (plan.proxy) await drain$1(tools, plan.proxy, plan.old, "drain-old");
	const gone = plan.old.filter((one) => plan.beside.some((service) => service.name === one.service));
	await removeCopies(tools, gone, {
		stop: "stop-old",
		remove: "remove-old"
	});
}
/** Up to the point where the new copies serve and the old ones could still take over again. */
async function bringUp$1(tools, plan, progress) {
	const { beside, images, inPlace, old, proxy, release } = plan;
	if (proxy) await pinProxy(tools, proxy, plan);
	const existing = old.filter((one) => beside.some((service) => service.name === one.service));
	try {
		progress.fresh = await startBeside$1(tools, beside, {
			images,
			old: existing,
			release
		});
	} catch (error) {
		if (error instanceof AppError && !(error instanceof HostError)) progress.fresh = (await copiesOf$1(tools, beside)).filter((one) => !old.some(({ id }) => id === one.id));
		throw error;
	}
	await waitForCopies(tools, beside, {
		images,
		copies: progress.fresh,
		step: "wait-new"
	});
	for (const service of inPlace) {
		progress.replaced = [...progress.replaced, service];
		await replaceInPlace(tools, service, images);
	}
	if (proxy) {
		await switchProxy(tools, proxy, proxied(progress.fresh, proxy), {
			step: "switch-proxy",
			release: release.id
		});
		progress.switched = true;
	}
	await assertAnswers(tools);
}
/** A service's name stands for all of its copies, also for one that is not ready: requests go to the old ones by name first. */
async function pinProxy(tools, proxy, { old, release }) {
	const serving = proxied(old, proxy).filter(isServing);
	if (serving.length === 0 || sendsTo(proxy, serving)) return;
	await switchProxy(tools, proxy, serving, {
		step: "pin-proxy",
		release: release.id
	});
}
/** Whether everything is as it was. When it is not, the note of the unfinished deployment stays, and the next run settles it. */
async function undone(tools, plan, progress) {
	try {
		await undo$1(tools, plan, progress);
		return true;
	} catch (error) {
		tools.log.warning(`The previous state could not be put back wholly, the next run goes on with it: ${messageOf(error)}`);
		return false;
	}
}
/** Back to the old copies, which were never stopped. */
async function undo$1(tools, plan, { fresh, switched, replaced }) {
	const { old, proxy, release } = plan;
	const serving = proxy ? proxied(old, proxy).filter(isServing) : [];
	if (proxy && switched && serving.length > 0) {
		await switchProxy(tools, proxy, serving, {
			step: "switch-back",
			release: release.id
		});
		await drain$1(tools, proxy, fresh, "drain-new");
	}
	await putBackInPlace(tools, replaced, old);
	await removeCopies(tools, fresh, {
		stop: "stop-new",
		remove: "remove-new"
	});
}

// src/action/images-input.ts
/** `service=reference`, one a line; a record by service once read. */
const imagesInput = input(require_libraries.string$1().transform(parseImages).optional(), {
	description: "Images to run, `service=reference` one a line; best by digest (`api=ghcr.io/org/api@sha256:...`). What the compose files say unless told.",
	placeholder: "SERVICE=IMAGE"
});
function parseImages(text, context) {
	const lines = text.split(/[\s,]+/).filter((line) => line !== "");
	const images = {};
	for (const line of lines) {
		const [, service, image] = /^([A-Za-z0-9][\w.-]*)=(\S+)$/.exec(line) ?? [];
		if (!service || !image) context.addIssue({
			code: "custom",
			message: `\`${line}\` is not \`service=reference\``
		});
		else if (service in images) context.addIssue({
			code: "custom",
			message: `\`${service}\` is given twice`
		});
		else images[service] = image;
	}
	return images;
}

// actions/deploy-app/contract.ts
const deployAppContract = {
	name: "deploy-app",
	description: "Replaces the app services without downtime, all or nothing, and records the release.",
	mutates: true,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...changeInputs,
		"end-sessions": endSessions,
		images: imagesInput,
		"release-id": input(releaseIdSchema.optional(), {
			description: "Name of the release; made from the time and the commit unless told.",
			placeholder: "ID"
		}),
		commit: input(require_libraries.string$1().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, "use the full hash of a commit").optional(), {
			description: "Commit that the images were built from; the workflow's commit unless told.",
			placeholder: "HASH"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"deploy-status": require_libraries._enum([
			"success",
			"unchanged",
			"failed"
		]).describe("`success`, `unchanged` (these images run already) or `failed`."),
		"release-id": require_libraries.string$1().describe("The release that runs now."),
		"previous-release-id": require_libraries.string$1().describe("The one that ran before; empty on a first deployment."),
		images: require_libraries.string$1().describe("`service=repository@digest` of each app service, one a line.")
	}),
	negative: {
		...notDone,
		"deploy-status": "failed",
		"release-id": "",
		"previous-release-id": "",
		images: ""
	}
};

// actions/deploy-app/action.ts
const deployAppAction = action(deployAppContract, (inputs, context) => withTools(inputs, context, {
	name: "deploy-app",
	mutates: true
}, async (tools) => {
	const done = await deployApp(tools, {
		images: inputs.images,
		releaseId: inputs["release-id"],
		commit: inputs.commit,
		endSessions: inputs["end-sessions"]
	});
	for (const service of done.interrupted) tools.log.warning(`${service} was replaced with an interruption`);
	const rows = done.images.map(({ service, reference, digest, imageId }) => [
		service,
		reference,
		digest ?? imageId
	]);
	return {
		outputs: {
			status: "success",
			reason: tools.work.dryRun ? "dry-run" : done.status === "unchanged" ? "unchanged" : "done",
			"deploy-status": done.status,
			"release-id": done.releaseId,
			"previous-release-id": done.previousReleaseId,
			images: done.images.map(({ service, digest, imageId }) => `${service}=${digest ?? imageId}`).join("\n")
		},
		summary: summaryTable(`Release ${done.releaseId}: ${done.status}`, [
			"Service",
			"Image",
			"Runs"
		], rows)
	};
}));

// src/core/changes.ts
var import_ignore = /* @__PURE__ */ require_rolldown_runtime.__toESM(require_libraries.require_ignore(), 1);
const components = [
	"infra",
	"app",
	"migrations"
];
/**
* Which component each changed file belongs to: it matches at least one pattern of `paths` and none that begins with
* `!`. Patterns read as in .gitignore: `docker/` is a folder and all in it, `*.md` a name at any depth, `/infra.yml` one at
* the root. A file under `migrations` is neither infra nor app, whatever their patterns say. Paths are relative to the repository.
*/
function sortChanges(files, paths) {
	const matches = {
		infra: matcher(paths.infra),
		app: matcher(paths.app),
		migrations: matcher(paths.migrations)
	};
	const migrations = files.filter(matches.migrations);
	const others = files.filter((file) => !matches.migrations(file));
	return {
		infra: others.filter(matches.infra),
		app: others.filter(matches.app),
		migrations
	};
}
/** Patterns that can never match as they are meant, with the reason: for a warning. */
function uselessPatterns(patterns) {
	const onlyExclusions = patterns.every((pattern) => pattern.startsWith("!"));
	return patterns.flatMap((pattern) => {
		if (pattern.startsWith("#")) return [{
			pattern,
			reason: "it is a comment to gitignore; write \\# for the name"
		}];
		if (pattern.startsWith("./") || pattern.startsWith("../")) return [{
			pattern,
			reason: "paths are relative to the repository, without ./ and ../"
		}];
		if (onlyExclusions) return [{
			pattern,
			reason: "there is no pattern that it could take from"
		}];
		return pattern.trim() === "" ? [{
			pattern,
			reason: "it is empty"
		}] : [];
	});
}
function matcher(patterns) {
	const wanted = patternSet(patterns.filter((pattern) => !pattern.startsWith("!")));
	const excluded = patternSet(patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1)));
	return (file) => wanted.ignores(file) && !excluded.ignores(file);
}
function patternSet(patterns) {
	return (0, import_ignore.default)({
		ignorecase: false,
		allowRelativePaths: true
	}).add(patterns);
}

// src/job/changed-services.ts
const composeSchema = require_libraries.looseObject({ services: require_libraries.record(require_libraries.string$1(), require_libraries.unknown()).default({}) });
/**
* Services whose definition differs, or whose build files, env files or mounted files are among `files`. A best guess from the
* files alone (variables are not filled in): `all` as soon as something differs that cannot be laid at one service's
* door. Pure.
*/
function changedServices(composeFiles, files) {
	const changed = /* @__PURE__ */ new Set();
	const owners = [];
	for (const { path, before, after } of composeFiles) {
		const [old, now] = [read$1(before), read$1(after)];
		if (!old || !now || differ({
			...old,
			services: {}
		}, {
			...now,
			services: {}
		})) return "all";
		for (const name of /* @__PURE__ */ new Set([...Object.keys(old.services), ...Object.keys(now.services)])) {
			if (differ(old.services[name], now.services[name])) changed.add(name);
			const parts = localPaths(now.services[name]).map((local) => beside(path, local));
			owners.push(...parts.filter((part) => part !== "").map((part) => ({
				path: part,
				service: name
			})));
		}
	}
	for (const file of files.filter((one) => !composeFiles.some(({ path }) => path === one))) {
		const owning = owners.filter(({ path }) => file === path || file.startsWith(`${path}/`));
		if (owning.length === 0) return "all";
		for (const { service } of owning) changed.add(service);
	}
	return [...changed].sort();
}
function read$1(text) {
	if (text === void 0) return void 0;
	try {
		return composeSchema.safeParse((0, import_dist.parse)(text, { merge: true })).data;
	} catch {
		return;
	}
}
const localsSchema = require_libraries.object({
	build: require_libraries.union([require_libraries.string$1(), require_libraries.looseObject({
		context: require_libraries.string$1().default("."),
		dockerfile: require_libraries.string$1().default("Dockerfile")
	})]).optional(),
	volumes: require_libraries.array(require_libraries.union([require_libraries.string$1(), require_libraries.looseObject({ source: require_libraries.string$1().optional() })])).default([]),
	env_file: require_libraries.union([require_libraries.string$1(), require_libraries.array(require_libraries.union([require_libraries.string$1(), require_libraries.looseObject({ path: require_libraries.string$1() })]))]).default([])
});
/** Paths beside the compose file that a service is made of. */
function localPaths(definition) {
	const { data } = localsSchema.safeParse(definition);
	if (!data) return [];
	const build = typeof data.build === "string" ? [data.build] : data.build ? [data.build.context, `${data.build.context}/${data.build.dockerfile}`] : [];
	const mounts = data.volumes.map((one) => (typeof one === "string" ? one.split(":")[0] : one.source) ?? "");
	const env = [data.env_file].flat().map((one) => typeof one === "string" ? one : one.path);
	return [
		...build,
		...mounts.filter((source) => source.startsWith(".")),
		...env
	];
}
/** `other`, seen from the folder of `file`, as a path in the repository. */
function beside(file, other) {
	const parts = file.split("/").slice(0, -1);
	for (const part of other.split("/")) if (part === "..") parts.pop();
	else if (part !== "." && part !== "") parts.push(part);
	return parts.join("/");
}
function differ(one, other) {
	return canonical(one) !== canonical(other);
}
function canonical(value) {
	return JSON.stringify(value, (_key, part) => typeof part === "object" && part !== null && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1)) : part) ?? "";
}

// src/job/event-base.ts
const hash = require_libraries.string$1().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);
const pushSchema = require_libraries.object({
	ref: require_libraries.string$1(),
	before: hash,
	forced: require_libraries.boolean().optional()
});
const pullSchema = require_libraries.object({ pull_request: require_libraries.object({ base: require_libraries.object({ sha: hash }) }) });
const groupSchema = require_libraries.object({ merge_group: require_libraries.object({ base_sha: hash }) });
/**
* The commit to compare with when nobody knows what is deployed. An event that has none (a first push, a tag, a
* schedule, a button) gives none: then everything counts as changed, never nothing. Pure.
*/
function eventBase({ name, payload }) {
	switch (name) {
		case "push": return pushBase(payload);
		case "pull_request": {
			const pull = pullSchema.safeParse(payload);
			return pull.success ? {
				kind: "merge-base",
				commit: pull.data.pull_request.base.sha,
				why: "what the pull request changes"
			} : none("the event names no base of the pull request");
		}
		case "merge_group": {
			const group = groupSchema.safeParse(payload);
			return group.success ? {
				kind: "commit",
				commit: group.data.merge_group.base_sha,
				why: "base of the merge group"
			} : none("the event names no base of the merge group");
		}
		case "": return none("there is no event outside of GitHub");
		default: return none(`a ${name} event has no commit before it`);
	}
}
function pushBase(payload) {
	const push = pushSchema.safeParse(payload);
	if (!push.success) return none("the push event cannot be read");
	const { ref, before, forced } = push.data;
	if (ref.startsWith("refs/tags/")) return none("a tag has no commit before it");
	if (/^0+$/.test(before)) return none("this is the first push of its branch");
	return {
		kind: "commit",
		commit: before,
		why: forced ? "commit before the forced push" : "commit before the push"
	};
}
function none(why) {
	return {
		kind: "none",
		why
	};
}

// src/job/detect-changes.ts
const baseSources = [
	"input",
	"deployed",
	"event",
	"none"
];
/**
* What differs between the checkout and the commit that runs on the environment, per part of the stack. Trees are
* compared, not events, so a failed or cancelled deployment loses nothing. What cannot be found out counts as changed.
*/
async function detectChanges(repository, options) {
	const { config, log } = options;
	const head = await repository.head();
	const bases = await chooseBases(repository, options);
	warnAboutPaths(await repository.paths(head), options);
	const files = {};
	for (const part of components) {
		const { commit } = bases[part];
		files[part] = commit ? sortChanges(await repository.differing(commit, head), config.paths)[part] : "all";
	}
	if (bases.app.commit && bases.app.commit !== head && await repository.isBehind(bases.app.commit)) log.warning(`this commit (${short(head)}) is older than what is deployed (${short(bases.app.commit)}): a rollback`);
	const shown = bases.app.commit ? bases.app : bases.infra;
	return {
		head,
		base: shown.commit ?? "",
		baseSource: shown.source,
		files,
		services: await servicesOf(repository, {
			head,
			base: bases.infra.commit,
			files: files.infra,
			config
		}),
		why: {
			infra: bases.infra.why,
			app: bases.app.why,
			migrations: bases.migrations.why
		}
	};
}
/** A slip in a pattern would read as "nothing changed" for ever. */
function warnAboutPaths(all, { config, log }) {
	const found = sortChanges(all, config.paths);
	for (const part of ["infra", "app"]) if (found[part].length === 0) log.warning(`paths.${part} matches no file of this commit`);
	for (const part of components) for (const { pattern, reason } of uselessPatterns(config.paths[part])) log.warning(`paths.${part}: \`${pattern}\` never matches: ${reason}`);
}
async function chooseBases(repository, options) {
	const { base, deployed } = options;
	const one = (found) => ({
		infra: found,
		app: found,
		migrations: found
	});
	if (base !== void 0) return one(await fromInput(repository, base));
	if (options.event.name === "pull_request" || !deployed) return one(await fromEvent(repository, options));
	const infra = await fromHost(repository, deployed.infra, {
		what: "infrastructure",
		log: options.log
	});
	const app = await fromHost(repository, deployed.app, {
		what: "application",
		log: options.log
	});
	return {
		infra,
		app,
		migrations: app
	};
}
async function fromInput(repository, base) {
	const commit = await repository.find(base);
	if (commit) return {
		commit,
		source: "input",
		why: `compared with ${short(commit)}, the input \`base\``
	};
	throw inputError("base-unknown", `input \`base\`: there is no commit or ref \`${base}\` here or at \`origin\``, { hint: "Give the full hash of a commit that was pushed, or leave the input out." });
}
async function fromHost(repository, deployed, { what, log }) {
	if (!deployed) return nothing$1(`everything counts as changed: the host has no record of a deployed ${what}`);
	const commit = await repository.find(deployed);
	if (commit) return {
		commit,
		source: "deployed",
		why: `compared with ${short(commit)}, the deployed ${what}`
	};
	log.warning(`the deployed ${what} is of commit ${deployed}, which \`origin\` does not have any more`);
	return nothing$1(`everything counts as changed: the deployed commit ${short(deployed)} cannot be fetched`);
}
async function fromEvent(repository, { event, log }) {
	const found = eventBase(event);
	if (found.kind === "none") return nothing$1(`everything counts as changed: ${found.why}`);
	const commit = found.kind === "commit" ? await repository.find(found.commit) : await pullBase(repository, found.commit);
	if (commit) return {
		commit,
		source: "event",
		why: `compared with ${short(commit)}, the ${found.why}`
	};
	log.warning(`the event's base ${found.commit} cannot be fetched`);
	return nothing$1(`everything counts as changed: the event's base ${short(found.commit)} cannot be fetched`);
}
/** The checkout of a pull request is GitHub's merge of it: its first parent is the branch without it. */
async function pullBase(repository, base) {
	const [first, ...others] = await repository.headParents();
	if (first && others.length > 0) return repository.find(first);
	return await repository.find(base) && repository.mergeBase(base);
}
function nothing$1(why) {
	return {
		commit: void 0,
		source: "none",
		why
	};
}
async function servicesOf(repository, asked) {
	const { head, base, files, config } = asked;
	if (files === "all" || base === void 0) return "all";
	if (files.length === 0) return [];
	const names = config.compose.files.map((path) => path.split("/").at(-1));
	const paths = (await repository.paths(head)).filter((path) => names.includes(path.split("/").at(-1)));
	const composeFiles = [];
	for (const path of paths) composeFiles.push({
		path,
		before: await repository.file(base, path),
		after: await repository.file(head, path)
	});
	return changedServices(composeFiles, files);
}
function short(commit) {
	return commit.slice(0, 10);
}

// src/job/repository.ts
const fetchTime = 3e5;
/** The git checkout in `directory` on `host`, which is this machine. */
function openRepository(host, directory, signal) {
	const git = sh`GIT_TERMINAL_PROMPT=0 git -c safe.directory=${"*"} -C ${directory}`;
	const ask = (command, timeout = 6e4) => host.run(command, {
		timeout,
		signal,
		allow: "any"
	});
	const answer = async (command) => must(await ask(command));
	const isShallow = async () => (await answer(sh`${git} rev-parse --is-shallow-repository`)).trim() === "true";
	const resolve = async (commit) => {
		const result = await ask(sh`${git} rev-parse --quiet --verify --end-of-options ${`${commit}^{commit}`}`);
		return result.code === 0 ? result.stdout.trim() : void 0;
	};
	return {
		async head() {
			const head = await resolve("HEAD");
			if (head) return head;
			throw failure("no-checkout", `${directory} is no checkout of a git repository`, { hint: "Put a step `uses: actions/checkout@v4` before this one." });
		},
		async headParents() {
			const text = await answer(sh`${git} cat-file commit HEAD`);
			return [...text.slice(0, text.indexOf("\n\n")).matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, parent]) => String(parent));
		},
		async find(commit) {
			const here = await resolve(commit);
			if (here) return here;
			const depth = await isShallow() ? ["--depth=1"] : [];
			return (await ask(change`${git} fetch --quiet --no-tags ${depth} -- origin ${commit}`, fetchTime)).code === 0 ? resolve("FETCH_HEAD") : void 0;
		},
		async mergeBase(commit) {
			const found = async () => {
				const result = await ask(sh`${git} merge-base ${commit} HEAD`);
				return result.code === 0 ? result.stdout.trim() : void 0;
			};
			const near = await found();
			if (near || !await isShallow()) return near;
			await ask(change`${git} fetch --quiet --no-tags --unshallow origin`, fetchTime);
			return found();
		},
		async isBehind(commit) {
			const result = await ask(sh`${git} merge-base --is-ancestor HEAD ${commit}`);
			if (result.code === 0) return true;
			return result.code === 1 && !await isShallow() ? false : void 0;
		},
		differing: async (from, to) => names(await answer(sh`${git} diff-tree -r -z --no-renames --name-only ${from} ${to}`)),
		paths: async (commit) => names(await answer(sh`${git} ls-tree -r -z --name-only --full-tree ${commit}`)),
		async file(commit, path) {
			const result = await ask(sh`${git} cat-file blob ${`${commit}:${path}`}`);
			return result.code === 0 ? result.stdout : void 0;
		}
	};
}
function must(result) {
	if (result.code !== 0) throw new CommandError(result);
	return result.stdout;
}
function names(text) {
	return text.split("\0").filter((name) => name !== "");
}

// src/action/read-event.ts
/** The event that started the workflow, from the file that the runner names; of no name outside of GitHub. */
async function readEvent(env) {
	const path = env.GITHUB_EVENT_PATH;
	const payload = path ? JSON.parse(await (0, node_fs_promises.readFile)(path, "utf8")) : {};
	return {
		name: env.GITHUB_EVENT_NAME ?? "",
		payload
	};
}

// src/action/detect.ts
/** Compares the checkout on this machine with what is deployed, and says for each part why. */
async function detect(inputs, context) {
	const { directory, env, log, signal } = context;
	await using local = localHost();
	const repository = openRepository(local, directory, signal);
	const changes = await detectChanges(repository, {
		...inputs,
		event: await readEvent(env),
		log
	});
	for (const [part, why] of Object.entries(changes.why)) log.info(`${part}: ${why}`);
	return changes;
}
/** The outputs that tell the changes, for every action that has them. */
function changeOutputs({ files, base, baseSource, services }) {
	return {
		"infra-changed": files.infra.length > 0,
		"app-changed": files.app.length > 0,
		"migrations-changed": files.migrations.length > 0,
		base,
		"base-source": baseSource,
		"changed-services": services === "all" ? "all" : services.join(" ")
	};
}
function changeSummary({ files, why }) {
	const rows = [
		"infra",
		"app",
		"migrations"
	].map((part) => {
		const list = files[part];
		const count = list === "all" ? "all" : String(list.length);
		const shown = list === "all" ? "" : list.slice(0, 50).join(", ") + (list.length > 50 ? ", ..." : "");
		return [
			part,
			count,
			why[part],
			shown
		];
	});
	return summaryTable("Changes", [
		"Part",
		"Files",
		"Why",
		"Which"
	], rows);
}

// actions/detect-changes/contract.ts
const detectChangesContract = {
	name: "detect-changes",
	description: "Finds what differs between this commit and the one last deployed to the environment.",
	mutates: false,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		base: input(require_libraries.string$1().regex(/^[A-Za-z0-9][\w.@/^~-]*$/, "use a commit's hash, a branch or a tag").optional(), {
			description: "Commit or ref to compare with, instead of the one found on the host or in the event.",
			placeholder: "COMMIT"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"infra-changed": require_libraries.boolean().describe("Whether a file of `paths.infra` differs."),
		"app-changed": require_libraries.boolean().describe("Whether a file of `paths.app` differs."),
		"migrations-changed": require_libraries.boolean().describe("Whether a file of `paths.migrations` differs."),
		base: require_libraries.string$1().describe("Full hash of the commit compared with; empty when everything counts as changed."),
		"base-source": require_libraries._enum(baseSources).describe("Where the base comes from: `input`, `deployed` (the host), `event`, `none`."),
		"changed-services": require_libraries.string$1().describe("Services whose definition or build files differ, separated by spaces; `all` when that cannot be told.")
	}),
	negative: {
		...notDone,
		"infra-changed": true,
		"app-changed": true,
		"migrations-changed": true,
		base: "",
		"base-source": "none",
		"changed-services": "all"
	}
};

// actions/detect-changes/action.ts
const detectChangesAction = action(detectChangesContract, async (inputs, context) => {
	const config = await loadConfig(inputs, context);
	const { log } = context;
	const readHost = async () => {
		await using host = await openHost(config, inputs, context);
		return await readDeployed({
			host,
			layout: layout(config),
			log
		});
	};
	const asked = hasAccess(config, inputs, context);
	if (!asked) log.warning("no `ssh-key` was given: what is deployed is not known, so the event's base is used");
	const deployed = asked ? await readHost() : void 0;
	const changes = await detect({
		config,
		base: inputs.base,
		deployed
	}, context);
	return {
		outputs: {
			status: "success",
			reason: "done",
			...changeOutputs(changes)
		},
		summary: changeSummary(changes)
	};
});

// src/job/drill/disproof.ts
/** What an error is called that says: these bytes, counts or data are not those that were backed up. */
const codes = /* @__PURE__ */ new Set([
	"backup-corrupt",
	"backup-damaged",
	"backup-incomplete",
	"manifest-incomplete",
	"postgres-restore-failed",
	"postgres-role-failed",
	"postgres-roles-failed",
	"postgres-wrong-dump",
	"restore-differs",
	"s3-object"
]);
/** The failure of a restore that has put back what was there: the reason is its cause. */
const wrapped = "restore-failed";
/**
* Whether an error, or what caused it, speaks against the copy that was drilled. Anything else (a key, an image, Docker, the
* connection, want of room) only kept it from being tried, which says nothing about it (S11).
*/
function disproves(error) {
	if (!(error instanceof AppError)) return false;
	if (error instanceof CommandError) return /with other bytes than its manifest says$/m.test(error.result.stderr);
	return codes.has(error.code) || error.code === wrapped && disproves(error.cause);
}

// src/docker/scratch-container.ts
/** The label by which throw-away servers are found. */
const label = "infra-actions.drill";
/**
* Starts a container that is part of no stack: no network, a limit of memory, processor time only when nobody else wants
* it, the first to be killed when memory runs out. Compose's labels are emptied, for an image that compose has built hands
* its own on. Prints the container's id.
*/
function startScratch(options) {
	const { name, image, owner, environment, command, volumes, memory } = options;
	const flags = [
		...[`${label}=${owner}`, ...[
			"project",
			"service",
			"oneoff"
		].map((one) => `com.docker.compose.${one}=`)].flatMap((one) => ["--label", one]),
		...Object.entries(environment).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
		...volumes.flatMap((path) => ["--volume", path]),
		...[
			"--memory",
			`${memory}b`,
			"--memory-swap",
			`${memory}b`,
			"--cpu-shares",
			"128",
			"--oom-score-adj",
			"800"
		],
		...[
			"--pids-limit",
			"1000",
			"--shm-size",
			"256m",
			"--security-opt",
			"no-new-privileges"
		]
	];
	return change`docker run --detach --network none --restart no --pull never --name ${name} ${flags} ${image} ${command}`;
}
/** Ids of an owner's throw-away servers, running or not, one a line. */
function listScratch(owner) {
	return sh`${limited} docker ps --all --quiet --no-trunc --filter ${`label=${label}=${owner}`}`;
}
/** Removes an owner's throw-away servers with the volumes that were made for them alone. */
function removeScratch(owner) {
	return change`ids=$(${listScratch(owner)}) || exit
[ -z "$ids" ] || docker rm --force --volumes $ids`;
}
/** A throw-away server as Docker sees it. Throws when it is gone. */
async function readScratch(host, id) {
	const [container] = parseContainers((await askEngine(host, inspectContainer(id))).stdout);
	if (container) return container;
	throw failure("scratch-gone", `the throw-away container ${id.slice(0, 12)} is gone`);
}

// src/job/drill/room.ts
/** Refuses when a drill would fill a disk that the live services need. */
async function assertDiskRoom(tools, needed) {
	const { backups } = tools.layout;
	const { stdout } = await tools.host.run(script("read", remoteScript("host-facts"), [1, backups]), { timeout: 6e4 });
	const [refused] = lackForDrill(stdout, {
		needed,
		backups
	});
	if (refused === void 0) return;
	throw refusal("disk-space", refused, { hint: "Make room, or drill on a host that has it: the live services must not run out of disk." });
}
/** One sentence for each disk that `host-facts.sh` tells of and that is too small; one that could not be looked at is, too. */
function lackForDrill(facts, { needed, backups }) {
	const lines = facts.split("\n").map((line) => line.split("	"));
	const root = lines.find(([kind]) => kind === "docker-root")?.[1];
	const diskOf = (path) => {
		const [, , size, free] = lines.find(([kind, name]) => kind === "disk" && name === path) ?? [];
		return {
			size: Number(size) * 1024,
			free: Number(free) * 1024
		};
	};
	return lackOfRoom([{
		where: root ?? "Docker's directory",
		disk: diskOf(root),
		takes: needed.data
	}, {
		where: backups,
		disk: diskOf(backups),
		takes: needed.files
	}], "the drill");
}
/** Below this no server of any kind starts. */
const least = 512 * 2 ** 20;
/** The limit in bytes for one throw-away server on this host as it is now. */
async function memoryLimit(tools, wanted) {
	const { stdout } = await tools.host.run(sh`cat /proc/meminfo`);
	return limitWithin(stdout, wanted);
}
/** What a server wants, at most half of what `meminfo` says is left. Refuses when that is too little for any. */
function limitWithin(meminfo, wanted) {
	const available = Number(/^MemAvailable: *(\d+) kB$/m.exec(meminfo)?.[1]) * 1024;
	if (!Number.isFinite(available)) throw failure("memory-unknown", "the host does not tell how much memory it has left");
	const limit = Math.floor(Math.min(wanted, available / 2));
	if (limit >= least) return limit;
	throw refusal("memory", `the host has ${formatBytes(available)} of memory left, a drill takes half of that at most`, { hint: `At least ${formatBytes(least * 2)} must be available: the live services must not run out of memory.` });
}

// src/job/drill/scratch.ts
/** Milliseconds until an empty server must have started. */
const startLimit = 18e4;
/** Files fetched for a drill: beside the backups, never among them. */
function scratchFolder({ layout, config }) {
	return `${layout.backups}/.drill-${config.environment}`;
}
/** Starts an empty server of the image that the service runs now, for files that lie in `backups`; undefined in a dry run. */
async function openScratch(tools, one, { backup, backups }) {
	const { scratch } = one.driver;
	if (!scratch) throw failure("cannot-drill", `services of kind ${one.service.kind} cannot be drilled`);
	const memory = await memoryLimit(tools, scratch.needs(backup).memory);
	const recipe = await scratch.recipe(one.service, one.container, {
		backup,
		memory
	});
	const { project, environment } = tools.config;
	const name = `infra-actions-drill-${project}-${environment}-${one.service.name}`;
	const image = imageOf(one);
	const command = startScratch({
		...recipe,
		name,
		image,
		memory,
		owner: ownerOf(tools)
	});
	const { stdout } = await tools.work.step(`open-drill-${one.service.name}`, command);
	if (tools.work.dryRun) return void 0;
	const service = drilledService(tools, one.service, {
		backup,
		backups
	});
	return {
		service,
		container: await waitReady(tools, scratch.ready, {
			service,
			id: stdout.trim()
		})
	};
}
/** Removes the throw-away servers and fetched files of this stack's drills, also those of a drill that was killed. */
async function closeScratch(tools) {
	const command = removal(tools);
	if (!tools.signal.aborted) {
		await tools.work.step("remove-drill", command);
		return;
	}
	await tools.host.run(command, { timeout: 5e3 }).catch((error) => {
		tools.log.warning(`The next drill removes what this one leaves: ${messageOf(error)}`);
	});
}
/** Removes what a killed drill left, if it left anything. */
async function clearLeftovers(tools) {
	const { stdout } = await tools.host.run(listScratch(ownerOf(tools)));
	const left = stdout.split("\n").filter((id) => id !== "").length;
	if (left > 0) tools.log.warning(`An earlier drill left ${left} throw-away containers: they are removed`);
	await closeScratch(tools);
}
/** Throw-away servers that do not run any more, each with why as far as Docker knows. */
async function endedOf(tools, servers) {
	return (await Promise.all(servers.map(({ container }) => readScratch(tools.host, container.id)))).filter(({ state }) => state !== "running").map((one) => `${one.name} ended (${whyEnded(one)})`);
}
function whyEnded({ oomKilled, exitCode }) {
	return oomKilled ? "killed for want of memory" : `exit code ${exitCode}`;
}
/** The image that a restore would go into. */
function imageOf({ container, definition }) {
	return container?.imageId ?? definition.image;
}
function ownerOf({ config }) {
	return `${config.project}/${config.environment}`;
}
function removal(tools) {
	return lines$1(removeScratch(ownerOf(tools)), change`rm -rf -- ${scratchFolder(tools)}`);
}
/** The real service under another name: in steps, messages and checks it is told apart from the live one. */
function drilledService({ host, stack }, service, { backup, backups }) {
	const { port: _real, databases, ...config } = service.config;
	const { contents } = backup;
	const held = contents.kind === "postgres" ? contents.databases.map(({ name }) => name) : [];
	const both = databases?.filter((name) => held.includes(name));
	return {
		...service,
		name: `drill-${service.name}`,
		host,
		stack,
		backups,
		config: both && both.length > 0 ? {
			...config,
			databases: both
		} : config
	};
}
async function waitReady(tools, ready, { service, id }) {
	const until = tools.clock.now().getTime() + startLimit;
	for (;;) {
		const container = await readScratch(tools.host, id);
		if (container.state === "running" && await ready(service, container)) return container;
		if (container.state !== "running" && container.state !== "created") throw await ended(service, container);
		if (tools.clock.now().getTime() > until) throw failure("drill-start", `${service.name} did not take clients within ${startLimit / 1e3} s`);
		await tools.clock.sleep(300, tools.signal);
	}
}
async function ended(service, container) {
	const said = (await service.stack.logs(container, 5)).trimEnd().split("\n").at(-1)?.trim() ?? "";
	return failure("drill-start", `${service.name} ended instead of starting (${whyEnded(container)})${said ? `: ${said.slice(0, 300)}` : ""}`);
}

// src/job/drill/on-runner.ts
/** An hour: the longest that one image may take to the runner. */
const imageLimit = 36e5;
/** As long for reading all bytes of a backup. */
const sumLimit = 36e5;
/** The tools of the machine whose Docker runs the throw-away servers. Throws when Docker does not answer there. */
async function groundOf(tools, where = "host") {
	if (where === "host") return tools;
	const { runner } = tools;
	if (!runner) throw new TypeError("the runner's tools were not opened");
	await askEngine(runner.host, sh`${limited} docker version --format '{{.Server.Version}}'`);
	return runner;
}
/**
* Brings each image that a service runs to the runner, as it is on the host and not as a registry has it by now. One
* that is there already, by its id, is not sent.
*/
async function bringImages(tools, there, pairs) {
	const images = [...new Set(pairs.map(({ one }) => imageOf(one)))];
	for (const image of images) {
		if (await hasImage(there, image)) continue;
		tools.log.info(`Sending the image ${image.slice(0, 19)} to the runner`);
		if (tools.work.dryRun) continue;
		const source = tools.host.stream(sh`docker save ${image}`, {
			timeout: imageLimit,
			signal: tools.signal
		});
		const load = there.work.step("bring-image", change`docker load`, {
			input: source.stdout,
			timeout: imageLimit
		});
		await Promise.all([source.done, load]);
		if (!await hasImage(there, image)) throw failure("image-differs", `the runner's Docker gave the image ${image} another id: it cannot be drilled there`);
	}
}
/** Fetches the files to the runner, from S3 directly, from the host over the connection; returns when all are proven. */
async function bringThere(tools, there, { manifest, store }) {
	const folder = scratchFolder(there);
	if (store.name === "s3") {
		await remoteStore(there.stores)?.fetch(manifest, there.work, folder);
		return folder;
	}
	const files = artifactFiles(manifest);
	const folders = [...new Set(files.map((file) => `${folder}/${(0, node_path_posix.dirname)(file)}`))];
	await there.work.step("bring-files", change`umask 077; mkdir -p ${folders}`);
	if (there.work.dryRun) return folder;
	for (const file of files) await there.host.upload(tools.host.download(`${tools.layout.backups}/${file}`, { signal: tools.signal }), `${folder}/${file}`, { signal: tools.signal });
	await assertWhole(there, manifest, folder);
	return folder;
}
async function assertWhole({ host }, manifest, folder) {
	const artifacts = manifest.services.flatMap((one) => one.artifacts);
	const look = script("read", hashingScript("store-verify"), [folder, ...artifactFiles(manifest)]);
	const { stdout } = await host.run(look, { timeout: sumLimit });
	const wrong = differences(artifacts, parseVerified(stdout));
	if (wrong.length > 0) throw failure("backup-corrupt", `the local files of ${manifest.id} are not what their manifest says: ${wrong.join("; ")}`);
}
async function hasImage({ host }, image) {
	return (await host.run(sh`docker image inspect --format '{{.Id}}' ${image}`, { allow: "any" })).code === 0;
}

// src/job/backup-age.ts
/**
* One check a store: whether its newest proven backup of each data service is younger than `limit` (milliseconds). None is a
* failure, and one whose last drill failed is none; a store that cannot be listed is unknown; where S3 is not required, what is
* wrong with it is a warning.
*/
async function checkBackupAge(tools, limit) {
	const now = tools.clock.now().getTime();
	const optional = tools.config.backup.s3?.required === false;
	const services = names$1(await dataServices(tools));
	const drills = await knownDrills(tools, tools.stores);
	return Promise.all(tools.stores.map(async (store) => {
		const check = await checkStore(store, {
			now,
			limit,
			services,
			drills
		});
		return store.name === "s3" && optional && check.state !== "ok" ? {
			...check,
			state: "warning"
		} : check;
	}));
}
async function checkStore(store, { drills, ...options }) {
	const name = `newest backup in ${store.name}`;
	try {
		if (drills.untold.has(store.name)) return {
			name,
			state: "unknown",
			detail: drills.problems.join("; ")
		};
		const { backups, unreadable } = await store.list();
		return {
			name,
			...judgeAge(backups.map((one) => one.manifest), {
				...options,
				store: store.name,
				unreadable,
				drills: drills.records
			})
		};
	} catch (error) {
		if (error instanceof AppError) return {
			name,
			state: "unknown",
			detail: error.message
		};
		throw error;
	}
}
/** A backup from the future is no young one: a clock is wrong, and nothing is known. */
function judgeAge(manifests, { store, now, limit, unreadable, services, drills = [] }) {
	const ages = manifests.filter((one) => isProven(one, store, drills)).map((one) => ({
		id: one.id,
		ahead: isDatedAhead(one, new Date(now)),
		age: now - Date.parse(one.created),
		services: one.services.map((held) => held.service)
	})).sort((a, b) => a.age - b.age);
	const failed = manifests.filter((one) => lastDrill(drills, {
		backup: one.id,
		source: store
	})?.result === "failed");
	const also = [...unreadable.length > 0 ? [`; ${unreadable.length} manifests cannot be read`] : [], ...failed.length > 0 ? [`; the last drill failed of ${failed.map(({ id }) => id).join(", ")}`] : []].join("");
	const [first] = ages;
	if (!first) return {
		state: "failed",
		detail: `there is no proven backup${also}`
	};
	if (first.ahead) return {
		state: "unknown",
		detail: `${first.id} is from the future: a clock is wrong`
	};
	const newest = services.flatMap((service) => {
		const found = ages.find((one) => one.services.includes(service));
		return found ? [{
			...found,
			service
		}] : [];
	});
	const missing = services.filter((service) => !newest.some((one) => one.service === service));
	if (missing.length > 0) return {
		state: "failed",
		detail: `there is no proven backup of ${missing.join(", ")}${also}`
	};
	const { id, age, service } = newest.reduce((a, b) => b.age > a.age ? b : a, {
		...first,
		service: ""
	});
	const detail = `${id === first.id ? id : `${id}, the newest of ${service},`} is ${formatDuration(Math.max(0, age))} old, the limit is ${formatDuration(limit)}${also}`;
	if (age > limit) return {
		state: "failed",
		detail
	};
	return {
		state: unreadable.length > 0 ? "warning" : "ok",
		detail
	};
}

// src/job/verify-app.ts
/** Milliseconds that the app gets to become ready again, for example after its database was started. */
const patience = 6e4;
/** Whether every deployed service of the app is up and its health URL answers well; waits a minute for it. */
async function checkReadiness(tools) {
	const start = tools.clock.now().getTime();
	for (;;) {
		const checks = await lookReady(tools);
		if (tools.clock.now().getTime() - start > patience || checks.every((check) => check.state !== "failed")) return checks;
		await tools.clock.sleep(1e3, tools.signal);
	}
}
async function lookReady(tools) {
	const services = await servicesOf$1(tools, "app");
	if (services.flatMap((one) => one.container ?? []).length === 0) return [{
		name: "app",
		state: "warning",
		detail: "was never deployed here"
	}];
	const checks = services.map(({ service, container }) => {
		if (!container) return {
			name: service.name,
			state: "failed",
			detail: "has no container"
		};
		const well = container.state === "running" && (container.health ?? "healthy") === "healthy";
		const detail = [container.state, container.health].filter(Boolean).join(", ");
		return {
			name: service.name,
			state: well ? "ok" : "failed",
			detail
		};
	});
	const url = tools.config.app["health-url"];
	return url === void 0 ? checks : [...checks, await answers(tools, url)];
}
/** Response time of the health URL and use of memory, against the thresholds. A slow answer is a warning, not a failure. */
async function checkPerformance(tools) {
	const url = tools.config.app["health-url"];
	return [...url === void 0 ? [] : [await responseTime(tools, url)], ...await memoryUse(tools)];
}
async function answers(tools, url) {
	const { code, stdout, stderr } = await tools.host.run(sh`curl -sS -o /dev/null -m 10 -w '%{http_code}' ${url}`, { allow: "any" });
	if (code === 127) return {
		name: "health-url",
		state: "unknown",
		detail: "the host has no curl"
	};
	if (code !== 0) return {
		name: "health-url",
		state: "failed",
		detail: stderr.trim() || `curl ended with ${code}`
	};
	return {
		name: "health-url",
		state: /^2\d\d$/.test(stdout) ? "ok" : "failed",
		detail: `${url} answered ${stdout}`
	};
}
/** The best of five: one slow answer says more about the moment than about the app. */
async function responseTime(tools, url) {
	const { code, stdout } = await tools.host.run(sh`for i in 1 2 3 4 5; do curl -sS -o /dev/null -m 10 -w '%{time_total}\n' ${url} || exit; done`, { allow: "any" });
	if (code !== 0) return {
		name: "response-time",
		state: "unknown",
		detail: `curl ended with exit code ${code}`
	};
	const best = Math.min(...stdout.trim().split("\n").map(Number)) * 1e3;
	const limit = tools.config.thresholds["response-time"];
	const detail = `${formatDuration(best)}, at most ${formatDuration(limit)} wanted`;
	return {
		name: "response-time",
		state: best <= limit ? "ok" : "warning",
		detail
	};
}
async function memoryUse(tools) {
	const limit = tools.config.thresholds.memory;
	return (await tools.stack.stats()).filter((one) => one.memoryLimit > 0).map(({ service, memory, memoryLimit }) => ({
		name: `memory ${service}`,
		state: memory / memoryLimit > limit ? "warning" : "ok",
		detail: `${Math.round(memory / 1048576)} of ${Math.round(memoryLimit / 1048576)} MiB`
	}));
}

// src/job/verify.ts
const sections = [
	"infrastructure",
	"data-integrity",
	"application-readiness",
	"performance",
	"backups"
];
/** Looks at the whole stack from all sides, or those asked for, and changes nothing. */
async function verify(tools, options = {}) {
	const { backupId, backupMaxAge, sections: asked = sections } = options;
	const manifest = backupId === void 0 ? void 0 : (await findBackup(tools, backupId, "auto", { services: "all" })).manifest;
	const looks = {
		infrastructure: () => checkInfrastructure(tools),
		"data-integrity": () => checkIntegrity(tools, manifest),
		"application-readiness": () => checkReadiness(tools),
		performance: () => checkPerformance(tools),
		backups: async () => backupMaxAge === void 0 ? [] : checkBackupAge(tools, backupMaxAge)
	};
	const checks = await Promise.all(sections.map(async (section) => [section, asked.includes(section) ? await looks[section]() : []]));
	return {
		status: checks.flatMap(([, found]) => found).every(passed) ? "success" : "failed",
		sections: Object.fromEntries(checks),
		timestamp: tools.clock.now().toISOString()
	};
}
function passed(check) {
	return check.state === "ok" || check.state === "warning";
}
async function checkInfrastructure(tools) {
	const { checks } = await checkInfra(tools);
	return checks;
}
async function checkIntegrity(tools, manifest) {
	const services = await dataServices(tools);
	return (await Promise.all(services.map(async ({ driver, service, container }) => {
		if (!container) return [{
			name: service.name,
			state: "failed",
			detail: "has no container"
		}];
		const held = manifest?.services.find((one) => one.service === service.name);
		return await driver.verify?.(service, container, held) ?? [];
	}))).flat();
}

// src/job/drill/restore-into-scratch.ts
/**
* Restores each service into an empty server of its own, in the order of a real restore, and looks at the data only when
* all are up. Throws when one cannot be restored or is not exactly what the manifest says. A dry run starts nothing.
*/
async function restoreIntoScratch(tools, pairs, backups) {
	const ordered = pairs.toSorted((a, b) => Number(b.backup.contents.kind === "postgres") - Number(a.backup.contents.kind === "postgres"));
	const servers = [];
	const restored = [];
	try {
		for (const pair of ordered) {
			const started = tools.clock.now().getTime();
			const scratch = await openScratch(tools, pair.one, {
				backup: pair.backup,
				backups
			});
			if (!scratch) continue;
			servers.push(scratch);
			const report = await restoreOne(tools, pair, scratch);
			const seconds = Math.round((tools.clock.now().getTime() - started) / 100) / 10;
			tools.log.info(`${pair.backup.service}: restored and counted in ${seconds} s`);
			restored.push({
				...pair,
				scratch,
				report,
				seconds
			});
		}
	} catch (error) {
		if (!tools.signal.aborted && error instanceof AppError) await assertServing(tools, servers, error);
		throw error;
	}
	const usable = tools.clock.now().getTime();
	const services = await Promise.all(restored.map(look));
	if (!services.flatMap(({ checks }) => checks).every(passed)) await assertServing(tools, servers);
	return {
		services,
		usable
	};
}
async function restoreOne(tools, { one, backup }, scratch) {
	if (!one.driver.restore) throw failure("cannot-drill", `services of kind ${one.service.kind} cannot be restored`);
	return one.driver.restore(scratch.service, scratch.container, backup, tools.work);
}
async function look({ one, backup, scratch, report, seconds }) {
	const checks = [...await one.driver.verify?.(scratch.service, scratch.container, backup) ?? []];
	const { tables, rows, keys, caveat } = report;
	if (caveat !== void 0) checks.push({
		name: "exactness",
		state: "warning",
		detail: caveat
	});
	return {
		service: backup.service,
		image: imageOf(one),
		seconds,
		tables,
		rows,
		keys,
		checks
	};
}
/** A server that has ended, for want of memory or by somebody's hand, looks like a bad backup otherwise; so does Docker's end. */
async function assertServing(tools, servers, cause) {
	const ended = await endedOf(tools, servers).catch((error) => [messageOf(error)]);
	if (ended.length === 0) return;
	throw failure("drill-server", ended.join(", "), { cause });
}

// src/job/drill/attempt.ts
/** Restores a copy and looks at it. Throws whatever kept it from being tried: only what is wrong with the copy is an outcome. */
async function attempt$1(tools, options) {
	const { there, pairs, started } = options;
	try {
		const backups = await bring(tools, options);
		if (there !== tools) await bringImages(tools, there, pairs);
		const { services, usable } = await restoreIntoScratch(there, pairs, backups);
		const wrong = problemsOf(services.flatMap(({ checks }) => checks));
		const seen = {
			rtoSeconds: secondsBetween(started.getTime(), usable),
			services: [...services]
		};
		return wrong === "" ? {
			result: "success",
			reason: "",
			proven: "restored",
			...seen
		} : {
			result: "failed",
			reason: wrong,
			...seen
		};
	} catch (error) {
		if (tools.signal.aborted || !disproves(error)) throw error;
		return {
			result: "failed",
			reason: messageOf(error),
			rtoSeconds: null,
			services: []
		};
	}
}
/** What checks found wrong, empty when nothing. Throws when one of them could not look, and no other found anything. */
function problemsOf(checks) {
	const told = (state) => checks.flatMap((one) => one.state === state ? [`${one.name}: ${one.detail}`] : []).join("; ");
	const [failed, unknown] = [told("failed"), told("unknown")];
	if (failed === "" && unknown !== "") throw failure("drill-unknown", `what was restored could not be looked at: ${unknown}`);
	return failed;
}
/** The directory where the backup's files lie, proven: the local ones where they are, others fetched beside them. */
async function bring(tools, { manifest, store, there }) {
	if (there !== tools) return bringThere(tools, there, {
		manifest,
		store
	});
	const folder = store.name === "local" ? tools.layout.backups : scratchFolder(tools);
	await store.fetch(manifest, tools.work, folder);
	return folder;
}
/** To the tenth. */
function secondsBetween(from, to) {
	return Math.round((to - from) / 100) / 10;
}

// src/job/drill.ts
/**
* Proves backups by restoring them: into empty servers in containers of their own, without network, with little of the
* host's resources. Each service's counts must equal the manifest's, and its checks must pass. The live services are
* only asked for settings. The containers and their data are removed whatever happens; the outcome is written beside
* the manifests, in each store. A copy that is wrong is an outcome and does not end the drill of the others; what keeps one
* from being tried is thrown, and leaves no record: it says nothing about the copy (S11).
*/
async function drill(tools, options) {
	const found = await chosen(tools, options);
	const there = await groundOf(tools, options.where);
	await clearLeftovers(tools);
	if (there !== tools) await clearLeftovers(there);
	const records = [];
	let left;
	const tellLeft = (why) => {
		tools.log.warning(`What the drill made could not be removed, the next one does it: ${why}`);
		left = why;
	};
	for (const one of found) {
		const record = await drillOne(tools, {
			...one,
			there,
			earlier: records.at(-1),
			tellLeft
		}).catch(async (error) => {
			if (tools.signal.aborted || !await isGone(tools, one).catch(() => false)) throw notTried(one, error);
		});
		if (!record || tools.work.dryRun || record.result === "failed" && await isGone(tools, one)) continue;
		await write(tools, record);
		records.push(record);
	}
	if (records.length > 0 || tools.work.dryRun) return {
		records,
		left
	};
	throw failure("backup-gone", "what was to be drilled was removed meanwhile, so nothing was proven", { hint: "Drill a backup that retention keeps, such as latest." });
}
/** Retention goes on beside a drill: a backup that it removes while it is restored has not failed. */
async function isGone({ log }, { manifest, store }) {
	const { backups } = await store.list();
	if (backups.some((one) => one.manifest.id === manifest.id)) return false;
	log.warning(`${manifest.id} was removed from ${store.name} while it was drilled: it is left out`);
	return true;
}
function notTried({ manifest, store }, error) {
	if (!(error instanceof AppError)) return error;
	const told = `the ${store.name} copy of ${manifest.id} could not be drilled, which says nothing about it: ${error.message}`;
	return new AppError(error.kind, error.code, told, {
		...error.hint !== void 0 && { hint: error.hint },
		cause: error
	});
}
async function chosen(tools, { backupId, source, newest: most }) {
	if (backupId !== "each") {
		if (most !== void 0) throw inputError("newest-without-each", `newest: ${most} says how many, backup-id: ${backupId} says which`, { hint: "Use backup-id: each with it, or leave it out." });
		const { manifest, stores } = await findBackup(tools, backupId, source, {
			services: "all",
			drillFailed: true
		});
		return stores.slice(0, 1).map((store) => ({
			manifest,
			store
		}));
	}
	const found = [];
	for (const store of storesOf(tools, source)) {
		const { backups, unreadable } = await store.list();
		for (const one of unreadable) tools.log.warning(`${store.name}: ${one} is no readable manifest and is not drilled`);
		for (const { manifest } of backups.slice(0, most)) found.push({
			manifest,
			store
		});
	}
	if (found.length > 0) return found;
	throw inputError("unknown-backup", `backup-id: each, but there is no backup in ${source}`, { hint: "Run backup first." });
}
async function drillOne(tools, { manifest, store, there, earlier, tellLeft }) {
	const { config, run, log } = tools;
	const pairs = await servicesFor(tools, manifest);
	const where = there === tools ? "host" : "runner";
	await assertDiskRoom(there, roomFor(pairs, { fetches: store.name !== "local" || where === "runner" }));
	const started = await freeStart(tools, earlier);
	log.info(`Drill of ${manifest.id} from ${store.name} in throw-away containers on the ${where}`);
	const outcome = await attempt$1(tools, {
		manifest,
		store,
		there,
		pairs,
		started
	}).finally(() => closeScratch(there).catch((error) => tellLeft(messageOf(error))));
	return {
		format: 1,
		id: drillId(started),
		project: config.project,
		environment: config.environment,
		backup: manifest.id,
		source: store.name,
		where,
		started: started.toISOString(),
		run: {
			id: run.id,
			url: run.url,
			actor: run.actor
		},
		rpoSeconds: secondsBetween(Date.parse(manifest.created), started.getTime()),
		...outcome
	};
}
/** Every service of the backup with the one of the stack that it would be restored into. */
async function servicesFor(tools, manifest) {
	const known = await servicesOf$1(tools, "infrastructure");
	return manifest.services.map((backup) => {
		const one = known.find(({ service }) => service.name === backup.service);
		if (one) return {
			one,
			backup
		};
		throw inputError("unknown-service", `${manifest.id} holds ${backup.service}, which the stack does not have any more`, { hint: "Drill a backup of the services that the stack has." });
	});
}
function roomFor(pairs, { fetches }) {
	const stored = pairs.flatMap(({ backup }) => backup.artifacts).reduce((sum, { bytes }) => sum + bytes, 0);
	return {
		data: pairs.reduce((sum, { one, backup }) => sum + (one.driver.scratch?.needs(backup).disk ?? 0), 0),
		files: fetches ? stored : 0
	};
}
/** On the host and in S3: a lost host takes its own records along. Keys that may only read make no drill fail. */
async function write({ stores, work, log, signal }, record) {
	await localStore$1(stores).recordDrill(record, work);
	try {
		await remoteStore(stores)?.recordDrill(record, work);
	} catch (error) {
		if (signal.aborted) throw error;
		log.warning(`The record ${record.id} is on the host only: ${messageOf(error)}`);
	}
	log.info(`${record.id}: ${record.result}${record.reason ? `, ${record.reason}` : ""}`);
}
/** A moment whose id the drill before does not have: two in one second would be one record. */
async function freeStart({ clock, signal }, earlier) {
	while (drillId(clock.now()) === earlier?.id) await clock.sleep(200, signal);
	return clock.now();
}

// actions/drill/contract.ts
const drillContract = {
	name: "drill",
	description: "Proves a backup by restoring it into throw-away containers without network, and measures how long that takes.",
	mutates: true,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...storeInputs,
		"backup-key": backupKey,
		"dry-run": changeInputs["dry-run"],
		"lock-wait": input(time$1.optional(), {
			description: "How long to wait for another drill, such as `10m`; `lock.wait` of the configuration unless told.",
			placeholder: "DURATION"
		}),
		"backup-id": input(require_libraries.string$1().default("latest"), {
			description: "Backup to drill: an id, `latest`, or `each` for every backup of the source, one after the other.",
			placeholder: "ID"
		}),
		newest: input(wholeNumber.refine((count) => count > 0, "use 1 or more").optional(), {
			description: "With `backup-id: each`: only so many of the newest backups; all of them unless told.",
			placeholder: "NUMBER"
		}),
		where: input(require_libraries._enum(["host", "runner"]).default("host"), {
			description: "Whose Docker runs the throw-away containers: `host`, beside the live services, or `runner`, the machine that runs this action; the backup's files, and images that it lacks, are then sent there.",
			placeholder: "MACHINE"
		}),
		source: input(require_libraries._enum(["local", "s3"]).default("local"), {
			description: "Whose copy is restored: `local` or `s3`. The other one never stands in for it.",
			placeholder: "WHERE"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"drill-status": require_libraries._enum([
			"success",
			"failed",
			"not-run"
		]).describe("`success`, `failed` when a copy is not what was backed up (fails the step), or `not-run` after a dry run or when something kept it from being tried (fails the step)."),
		"backup-id": require_libraries.string$1().describe("Id of the newest backup that was drilled."),
		source: require_libraries._enum([
			"local",
			"s3",
			"none"
		]).describe("Whose copy was restored; `none` when nothing was."),
		"rto-seconds": require_libraries.number().min(-1).describe("Seconds from the start until every service served the restored data; -1 when that never happened."),
		"rpo-seconds": require_libraries.number().min(-1).describe("Age in seconds of the newest drilled backup's data; -1 without one."),
		"drill-details": require_libraries.string$1().describe("Record of each drill as JSON.")
	}),
	negative: {
		...notDone,
		"drill-status": "not-run",
		"backup-id": "",
		source: "none",
		"rto-seconds": -1,
		"rpo-seconds": -1,
		"drill-details": "[]"
	}
};

// actions/drill/action.ts
const drillAction = action(drillContract, (inputs, context) => withTools(inputs, context, {
	...opened,
	onRunner: inputs.where === "runner"
}, async (tools) => {
	const { source, where, newest: most } = inputs;
	const { records, left } = await drill(tools, {
		backupId: inputs["backup-id"],
		source,
		where,
		newest: most
	});
	const [newest] = records;
	if (!newest) return { outputs: {
		...drillContract.negative,
		...notRun
	} };
	const failed = records.filter((one) => one.result === "failed");
	return {
		outputs: {
			status: failed.length > 0 ? "failed" : left === void 0 ? "success" : "partial",
			reason: failed.length > 0 ? "drill-failed" : left === void 0 ? "done" : "leftovers",
			"drill-status": failed.length > 0 ? "failed" : "success",
			"backup-id": newest.backup,
			source: newest.source,
			"rto-seconds": longest(records),
			"rpo-seconds": newest.rpoSeconds,
			"drill-details": JSON.stringify(records)
		},
		summary: [...records.map(summaryOf$3), ...left === void 0 ? [] : [`**Not removed**: ${left}\n`]].join("\n"),
		...failed.length > 0 ? { failure: failed.map(failureOf).join("\n") } : {}
	};
}));
const opened = {
	name: "drill",
	mutates: true,
	usesStores: true,
	apart: true
};
const notRun = {
	status: "success",
	reason: "dry-run",
	"drill-status": "not-run",
	source: "none"
};
/** One that was never usable has no time, and the longest of the others would not be the truth. */
function longest(records) {
	const seconds = records.flatMap(({ rtoSeconds }) => rtoSeconds === null ? [] : [rtoSeconds]);
	return seconds.length < records.length ? -1 : Math.max(...seconds);
}
function failureOf({ backup, source, reason }) {
	return `The ${source} copy of ${backup} is not proven: ${reason}`;
}
function summaryOf$3(record) {
	const { backup, source, where, result, reason, rtoSeconds, rpoSeconds, services } = record;
	const rows = services.map((one) => [
		one.service,
		`${one.seconds} s`,
		one.keys > 0 ? `${one.keys} keys` : `${one.tables} tables, ${one.rows} rows`,
		one.checks.map(({ name, state, detail }) => `${name}: ${state}, ${detail}`).join("; ")
	]);
	const title = `Drill of ${backup} from ${source} on the ${where}: ${result}; ${rtoSeconds === null ? "never usable" : `usable after ${formatDuration(rtoSeconds * 1e3)}`} (RTO), data ${formatDuration(rpoSeconds * 1e3)} old (RPO)`;
	const why = reason === "" ? [] : [[
		"",
		"",
		"",
		reason
	]];
	return summaryTable(title, [
		"Service",
		"Restored in",
		"Counted, equal to the manifest",
		"Checks"
	], [...rows, ...why]);
}

// src/job/lock.ts
const lockModes = [
	"acquire",
	"renew",
	"release",
	"force-release",
	"status"
];
/** Takes, renews, releases or shows the deployment lock. Throws the refusal `lock-held` when somebody else keeps it. */
async function lock(tools, options) {
	switch (options.mode) {
		case "acquire": return acquire(tools, options);
		case "renew": return renew(tools, options);
		case "release": return release(tools, options);
		case "force-release": return forceRelease(tools);
		case "status": return show(tools, "done");
	}
}
async function acquire(tools, { wait, purpose, mark }) {
	const { run, config, host, signal } = tools;
	const { id, attempt, actor, url } = run;
	const holder = {
		run: id,
		attempt,
		actor,
		purpose,
		url
	};
	const claim = {
		...place(tools),
		holder,
		ttl: config.lock.stale,
		wait,
		signal,
		...mark !== void 0 && { mark }
	};
	await claimLease(host, claim);
	return show(tools, "done");
}
async function renew(tools, options) {
	const number = numberOf(options);
	const claim = await readOwnClaim(tools.host, {
		...own(tools),
		number
	});
	if (!claim || claim.state === "free") throw leaseLost(number);
	await renewLease(tools.host, {
		directory: tools.layout.lock,
		number: claim.number
	});
	return show(tools, "done");
}
async function release(tools, options) {
	const outcome = await releaseOwnClaim(tools.host, {
		...own(tools),
		number: numberOf(options)
	});
	return show(tools, outcome === "released" ? "done" : outcome);
}
async function forceRelease(tools) {
	const held = await readLease(tools.host, tools.layout.lock);
	if (held && await forceReleaseLease(tools.host, tools.layout.lock, held.number)) tools.log.warning(`released by force: ${describeLease(held)}`);
	return show(tools, held ? "done" : "not-held");
}
async function show(tools, reason) {
	const state = await readLease(tools.host, tools.layout.lock);
	if (!state) return {
		acquired: false,
		number: void 0,
		holder: "",
		expires: void 0,
		reason
	};
	const ours = holds$1(tools, state);
	return {
		acquired: ours,
		number: ours ? state.root : void 0,
		holder: describeLease(state),
		expires: new Date(tools.clock.now().getTime() + state.ttl - state.age),
		reason
	};
}
function holds$1({ run }, { holder, state }) {
	return holder?.run === run.id && state === "held";
}
function place({ layout, log }) {
	return {
		directory: layout.lock,
		work: layout.work,
		log: (line) => log.info(line)
	};
}
function own({ layout, run }) {
	return {
		directory: layout.lock,
		work: layout.work,
		claimant: {
			run: run.id,
			attempt: run.attempt
		}
	};
}
function numberOf({ mode, number }) {
	if (number !== void 0) return number;
	throw inputError("lock-number-missing", `input \`lock-number\` is needed to ${mode} a lock`, { hint: "Give the output `lock-number` of the step that took it; `force-release` needs none." });
}

// actions/lock/contract.ts
const lockContract = {
	name: "lock",
	description: "Takes, renews, releases or shows the one lock that guards every change of an environment on its host.",
	mutates: false,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		mode: input(require_libraries._enum(lockModes).default("acquire"), {
			description: "`acquire`, `renew`, `release`, `status`, or `force-release`: takes the lock from whoever holds it, for a person who knows that its holder is dead.",
			placeholder: "MODE"
		}),
		keep: input(boolean.default(false), { description: "With `acquire`: keep the lock after this job, for the jobs that follow; a later `release` gives it back. Otherwise it is given back at the end of the job." }),
		"lock-number": lockNumber,
		"lock-wait": lockWait,
		purpose: input(require_libraries.string$1().max(200).default("deployment"), {
			description: "What the lock is for, shown to whoever waits for it.",
			placeholder: "TEXT"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		acquired: require_libraries.boolean().describe("Whether this run holds the lock now."),
		holder: require_libraries.string$1().describe("Who holds it: actor, run and purpose; empty when nobody does."),
		"lock-number": require_libraries.string$1().describe("Number of the claim, to be given to the jobs that follow; empty without one."),
		"lease-expires": require_libraries.string$1().describe("When it runs out unless renewed, ISO 8601; empty without a holder.")
	}),
	negative: {
		...notDone,
		acquired: false,
		holder: "",
		"lock-number": "",
		"lease-expires": ""
	}
};

// actions/lock/action.ts
const lockAction = action(lockContract, async (inputs, context) => {
	const config = await loadConfig(inputs, context);
	await using host = await openHost(config, inputs, context);
	const tools = {
		...context,
		config,
		host,
		layout: layout(config),
		clock: systemClock
	};
	const mark = (0, node_crypto.randomUUID)();
	const givenBack = inputs.mode === "acquire" && !inputs.keep;
	const place = {
		directory: tools.layout.lock,
		work: tools.layout.work,
		mark
	};
	if (givenBack) rememberClaim(context, place);
	const done = await lock(tools, {
		mode: inputs.mode,
		number: inputs["lock-number"],
		wait: inputs["lock-wait"] ?? config.lock.wait,
		purpose: inputs.purpose,
		mark
	});
	if (givenBack && done.number !== void 0) rememberClaim(context, {
		...place,
		number: done.number
	});
	context.log.info(done.holder ? `Held by ${done.holder}` : "Nobody holds the lock");
	return { outputs: {
		status: "success",
		reason: done.reason,
		acquired: done.acquired,
		holder: done.holder,
		"lock-number": done.number === void 0 ? "" : String(done.number),
		"lease-expires": done.expires?.toISOString() ?? ""
	} };
});

// src/job/prove-backup.ts
/** Milliseconds after which a backup no longer covers a destructive step, even of its own run: a person may have waited days to approve it. */
const oldest = 216e5;
/**
* The manifest of a backup that proves a destructive step (S1): made by this very run, of every one of these data
* services, of the data that they hold now, and its stored bytes read again match their checksums. Refuses otherwise.
*/
async function proveBackup(tools, id, data) {
	const { backups } = await localStore$1(tools.stores).list();
	const manifest = backups.find((one) => one.manifest.id === id)?.manifest;
	if (!manifest || !isProven(manifest, "local")) throw unproven$1(`there is no proven backup ${id} on the host`);
	if (manifest.run.id !== tools.run.id) throw unproven$1(`backup ${id} was made by run ${manifest.run.id}, not by this one`);
	const age = tools.clock.now().getTime() - Date.parse(manifest.created);
	if (age > oldest) throw unproven$1(`backup ${id} is ${formatDuration(age)} old, more than ${formatDuration(oldest)}`);
	for (const one of data) await assertSameData(one, manifest.services);
	const [difference] = await localStore$1(tools.stores).verify(manifest);
	if (difference !== void 0) throw unproven$1(`backup ${id} is damaged: ${difference}`);
	tools.log.info(`Backup ${id} is of this run, of this data, and whole`);
	return manifest;
}
/**
* Refuses unless none of these data services has any data at all where the definition puts it: then there is nothing that a
* backup could hold. `backupId`: there is a backup, which does not hold these services.
*/
async function proveFresh(tools, data, { backupId } = {}) {
	const [first] = (await dataPresence(tools, data)).filter((one) => one.present);
	if (first && backupId !== void 0) throw refusal("backup-not-proven", `backup ${backupId} does not hold ${first.service}, which has data in ${first.place}`, { hint: "Put the new compose file on the host and run backup again, which then starts the service on that data." });
	if (first) throw refusal("no-backup", `backup-id is missing, and ${first.service} has data in ${first.place}`, { hint: "Run backup first and pass its backup-id: a data service is never replaced without one." });
	tools.log.info("No data directory holds anything: this is a first creation");
}
async function assertSameData(one, services) {
	const held = services.find((backup) => backup.service === one.service.name);
	if (!held) throw unproven$1(`the backup does not hold service ${one.service.name}`);
	if (held.contents.kind !== "postgres") return;
	const identifier = (await one.driver.fingerprint?.(one.service, containerOf(one)))?.same["system-identifier"];
	if (identifier !== held.contents.systemIdentifier) throw unproven$1(`the backup is of another database cluster: ${held.contents.systemIdentifier}, not ${identifier ?? "known"}`);
}
function unproven$1(problem) {
	return refusal("backup-not-proven", problem, { hint: "Run backup in this run and pass the backup-id that it gives." });
}

// src/job/recreate-plan.ts
/** Looks what recreating these services would change and why, by compose's own view; `stack` is that of the new definition. */
async function planRecreate(tools, services, files) {
	const { stack, host, layout } = tools;
	const [definition, actions, looked] = await Promise.all([
		stack.definition(),
		planApart(stack, services),
		askEngine(host, sh`docker info --format '{{.ServerVersion}}, {{.Driver}}, live-restore {{.LiveRestoreEnabled}}' || exit
df -P -B1 ${layout.base} | sed -n '2s/  */ /gp' | cut -d' ' -f4`)
	]);
	const [engine = "", free = ""] = looked.stdout.trim().split("\n");
	return {
		services: await Promise.all(services.map(async (one) => ({
			service: one.service.name,
			action: one.container ? "replace" : "create",
			reason: await reasonOf(tools, one, actions.find(({ service }) => service === one.service.name)?.action),
			keeps: keptMounts(one.definition, definition)
		}))),
		files,
		engine: `Docker ${engine}`,
		free: Number(free)
	};
}
/** Lines for the log. */
function describePlan({ services, files, engine, free }) {
	return [
		`${engine}; ${(free / 2 ** 30).toFixed(1)} GiB free`,
		...files.map((file) => `${file} comes from the checkout`),
		...services.map(({ service, action, reason, keeps }) => `${service}: ${action}, ${reason}${keeps.length > 0 ? `; keeps ${keeps.join(", ")}` : ""}`)
	];
}
/** As they are started: the data services first, each part without what it depends on. */
async function planApart(stack, services) {
	const planned = [services.filter(holdsData), services.filter((one) => !holdsData(one))].filter((part) => part.length > 0).map(names$1);
	return (await Promise.all(planned.map((part) => stack.plan(part, {
		partial: true,
		noDependencies: true
	})))).flat();
}
async function reasonOf({ host }, { container, definition }, action) {
	if (!container) return "it has no container yet";
	if (container.image !== definition.image) return `image ${container.image} becomes ${definition.image}`;
	const image = await inspectImage(host, definition.image);
	if (image && image.id !== container.imageId) return `${definition.image} is another image now`;
	if (action === "recreate") return "its configuration changed";
	if (action === void 0) return "compose does not say whether it changed";
	return "unchanged, as all infrastructure is replaced";
}
function keptMounts(definition, stack) {
	return definition.volumes.filter((mount) => !mount.readOnly && (mount.type === "bind" || mount.type === "volume")).map(({ source, target }) => {
		const volume = stack.volumes.find((one) => one.key === source);
		return `${target} in ${volume ? `volume ${volume.name}` : source}`;
	});
}

// src/job/dump-keys.ts
/**
* Dumps a running store of keys that gets another image, once nobody writes to it: what a newer version saves, the previous
* one may not read. Undefined for any other service, and, with a warning, where it cannot be dumped: it is one way back more.
*/
async function dumpKeys(tools, one) {
	if (!isKeyStore(one)) return void 0;
	const image = await inspectImage(tools.host, one.definition.image);
	if (!image || image.id === containerOf(one).imageId) return void 0;
	const { name } = one.service;
	const now = tools.clock.now();
	const target = {
		id: backupId(now),
		stamp: backupStamp(now)
	};
	try {
		const begun = noteBegun(tools.layout, {
			...target,
			services: [name],
			at: now.toISOString()
		});
		await tools.work.step(`note-dump-${name}`, begun);
		return await one.driver.backup?.(one.service, containerOf(one), target, tools.work);
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		tools.log.warning(`${name} could not be dumped as it is stopped: ${messageOf(error)}. If its new image serves, and has to give way after that to one that cannot read what it saved, there is only the backup of this run.`);
		return;
	}
}

// src/job/upgrade-data.ts
/** The services whose new image needs another directory, found before anything stops. Refuses what cannot be done. */
async function findUpgrades(tools, services, { id, services: held }) {
	const found = [];
	for (const one of services.filter(holdsData)) {
		if (!one.container || !one.driver.upgrade) continue;
		const upgrade = await one.driver.upgrade(one.service, one.container, one.definition);
		if (!upgrade) continue;
		const directory = await directoryBehind(tools, one, upgrade);
		const artifacts = held.find(({ service }) => service === one.service.name)?.artifacts ?? [];
		await assertRoom(tools, directory, {
			...upgrade,
			dump: artifacts.reduce((sum, one) => sum + one.bytes, 0)
		});
		const { imageId } = one.container;
		const paths = {
			directory,
			...besidePaths(directory, {
				id,
				now: await hostNow(tools)
			})
		};
		const note = {
			format: 1,
			service: one.service.name,
			imageId,
			...paths
		};
		found.push({
			one,
			upgrade,
			note
		});
		tools.log.info(`${one.service.name}: ${upgrade.from} becomes ${upgrade.to}; the old data will be kept in ${note.aside}`);
	}
	return found;
}
/**
* For services that are stopped cleanly: starts each old server once more without any network, so that nobody can
* write, dumps all of it, stops it and moves its directory aside. From the first step on, the notes tell the way back.
*/
async function emptyForUpgrade(tools, upgrades) {
	const dumps = /* @__PURE__ */ new Map();
	if (upgrades.length === 0) return dumps;
	const notes = upgrades.map(({ note }) => note);
	await tools.work.step("note-upgrade", writeUpgrades(tools.layout, notes));
	for (const planned of upgrades) {
		const { name } = planned.one.service;
		dumps.set(name, await dumpAlone(tools, planned));
		const { imageId, directory, aside, failed } = planned.note;
		const note = {
			service: name,
			directory,
			aside,
			failed,
			at: (await hostNow(tools)).toISOString()
		};
		await tools.work.step(`set-aside-${name}`, setAsideNoted(tools.layout, imageId, note));
	}
	return dumps;
}
/**
* Fills the new servers and takes the notes away: from here on the new ones hold everything, proven by exact counts, and who
* finds this run cut off goes forward only. `noWayBack` is shell text that notes that.
*/
async function fillUpgraded(tools, upgrades, { dumps, noWayBack }) {
	for (const { one } of upgrades) {
		const dump = dumps.get(one.service.name);
		const [now] = await refresh(tools, [one]);
		if (!dump || !now?.driver.restoreFresh) throw failure("cannot-upgrade", `${one.service.name} cannot be filled from a dump`);
		const { rows } = await now.driver.restoreFresh(now.service, containerOf(now), dump, tools.work);
		tools.log.info(`${one.service.name}: ${rows} rows, each table as it was`);
	}
	await tools.work.step("end-upgrade", change`${noWayBack} || exit\n${forgetUpgrades(tools.layout)}`);
}
/** Takes the dumps away, which are no backup: the old directories are kept. */
async function discardDumps(tools, dumps) {
	if (dumps.size === 0 || tools.signal.aborted) return;
	const id = backupId(tools.clock.now());
	await localStore$1(tools.stores).discard({
		id,
		services: [...dumps.values()]
	}, tools.work);
}
async function dumpAlone(tools, { one }) {
	const { work, stack } = tools;
	await assertSoleServer(tools, one);
	const { name } = one.service;
	const old = containerOf(one);
	await work.step(`isolate-${name}`, lines$1(isolate(old), stack.start([old])));
	const alone = await work.check(`wait-alone-${name}`, async () => {
		await waitHealthy(tools, [one.definition], { containers: [old.id] });
		const found = (await stack.containers(name)).find(({ id }) => id === old.id);
		if (!found || found.networks.some((network) => network.name !== "none")) throw failure("not-isolated", `${name} is not alone: others could write while it is dumped`);
		return found;
	}, old);
	const { databases: _all, ...config } = one.service.config;
	const now = tools.clock.now();
	const target = {
		id: backupId(now),
		stamp: backupStamp(now)
	};
	await work.step(`note-dump-${name}`, noteBegun(tools.layout, {
		...target,
		services: [name],
		at: now.toISOString()
	}));
	const dump = await one.driver.backup?.({
		...one.service,
		config
	}, alone, target, work);
	await one.driver.stop?.(one.service, alone, work);
	if (dump) return dump;
	throw failure("cannot-upgrade", `services of kind ${one.service.kind} cannot be dumped`);
}
/** A stopped container that is in no network at its next start; recreating it brings the networks back. */
function isolate({ id, networks }) {
	const names = networks.map((one) => one.name).filter((name) => name !== "none");
	const leave = names.map((name) => change`docker network disconnect ${name} ${id}`);
	return lines$1(sh`set -e`, ...leave, ...names.length > 0 ? [change`docker network connect none ${id}`] : []);
}
async function directoryBehind(tools, one, { directory }) {
	const mount = containerOf(one).mounts.filter((one) => covers(one, directory)).toSorted((a, b) => b.target.length - a.target.length)[0];
	if (mount && mount.type !== "tmpfs") return directoryOf(mount, await tools.stack.definition()).replace(/\/+$/, "");
	throw refusal("no-persistent-volume", `${one.service.name} keeps its data in ${directory}, which is on no volume`);
}
/** Old and new lie side by side, and the dump besides; the dump and the restore look again for themselves. */
async function assertRoom({ host, layout }, directory, { bytes, from, to, dump }) {
	const { stdout } = await host.run(sh`for at in ${[directory, layout.backups]}; do until [ -d "$at" ]; do at=$(dirname "$at"); done; df -P -B1 "$at" | sed -n '2s/  */ /gp' | cut -d' ' -f2,4; done`);
	const [data, backups] = [0, 1].map((at) => {
		const [size = NaN, free = NaN] = stdout.split("\n")[at]?.split(" ").map(Number) ?? [];
		return {
			size,
			free
		};
	});
	const what = `going from ${from} to ${to}`;
	const stored = {
		where: layout.backups,
		disk: backups
	};
	const [refused] = [...lackOfRoom([{
		where: directory,
		disk: data,
		takes: bytes
	}, {
		...stored,
		takes: dump
	}], what), ...lackOfRoom([{
		...stored,
		takes: bytes
	}], what)];
	if (refused !== void 0) throw refusal("disk-space", refused, { hint: "Make room, or put the data on a larger disk first. Nothing was changed." });
}

// src/job/replace-containers.ts
/**
* Replaces containers whose data was proven to be in a backup: the app stops, then the rest and whoever else may write, the
* data services last and cleanly; these start first, on the same volumes (after a major upgrade on a new directory, filled from a dump), and the
* data's fingerprint before and after is compared before anything else starts that could write. Whatever fails before the replacement starts the old containers again; new
* ones that do not serve the same data give way to what was there before, rung by rung.
*/
async function replaceContainers(tools, replacement) {
	const { services, upgrades } = replacement;
	const beside = await writersBeside(tools, services);
	const dumps = /* @__PURE__ */ new Map();
	const before = await stopAll(tools, {
		...replacement,
		dumps
	}, beside);
	const failed = await bringUp(tools, {
		...replacement,
		before,
		dumps
	});
	if (!failed) {
		await startBeside(tools, beside);
		await startWriters(tools);
		await discardDumps(tools, dumps);
		await recordInfrastructure(tools, services);
		const kept = upgrades.map(({ one, upgrade, note }) => `${one.service.name}: the data of ${upgrade.from} is kept in ${note.aside}.`);
		return {
			status: "recreated",
			rung: "new-containers",
			cause: void 0,
			differences: [],
			advice: await adviceOf(tools, replacement),
			kept
		};
	}
	const problem = messageOf(failed.error);
	tools.log.warning(`The new containers do not serve: ${problem}. Putting back what was there before.`);
	const { rung, kept, differences } = await fallBack(tools, replacement, {
		before,
		proven: failed.proven,
		dumps
	});
	tools.log.warning(`It is proven that ${describeRung(rung)}`);
	await startBeside(tools, beside);
	await (rung === "backup" && !await waitsForRestore(tools) ? startOnRightData(tools) : startWriters(tools));
	await discardDumps(tools, dumps);
	return {
		status: "rolled-back",
		rung,
		cause: problem,
		differences,
		advice: [],
		kept
	};
}
/** Stops the app, then whatever else may write to the data services, then these, cleanly; the fingerprint of the data that they leave. */
async function stopAll(tools, { services, manifest, putBack, dumps }, beside) {
	const known = services.filter((one) => one.container);
	const data = known.filter(holdsData);
	try {
		const running = await ensureRunning(tools, data);
		await stopWriters(tools, {
			awaits: "services",
			backup: manifest.id
		});
		const rest = [...known.filter((one) => !holdsData(one)), ...beside];
		const [others, order] = [rest.flatMap((one) => one.container ?? []), definitions(rest)];
		if (others.length > 0) await tools.work.step("stop-services", stopInOrder(tools.stack, order, others), { timeout: stopTimeout(order) });
		const before = [];
		for (const one of running) {
			const dump = await dumpKeys(tools, one);
			if (dump) dumps.set(one.service.name, dump);
			const left = await one.driver.stop?.(one.service, containerOf(one), tools.work);
			if (left) before.push(left);
		}
		return before;
	} catch (error) {
		if (isOurs(tools, error)) await startAgain(tools, {
			known: [...known, ...beside],
			putBack,
			error
		});
		throw error;
	}
}
/**
* Back to the old containers, which are all still there, unless somebody else serves their data by now (S13). A run that was
* cut off leaves that to the next one.
*/
async function startAgain(tools, { known, putBack, error }) {
	try {
		await putBack();
		for (const one of known.filter(holdsData)) await assertSoleServer(tools, one);
		await tools.work.step("start-again", tools.stack.start(known.map(containerOf)));
		await tools.work.check("wait-again", () => waitHealthy(tools, definitions(known)), void 0);
		await startWriters(tools);
	} catch (second) {
		tools.log.warning(`${messageOf(error)}; then the old containers did not start again: ${messageOf(second)}`);
	}
}
/** Back as they were, once the data that they may write to is compared: it is not to be compared with what it was any more. */
async function startBeside(tools, beside) {
	if (beside.length === 0) return;
	const start = tools.stack.start(beside.map(containerOf));
	const note = await readStoppedApp(tools);
	const compared = note && noteStoppedApp(tools.layout, {
		...note,
		fingerprints: []
	});
	await tools.work.step("start-beside", compared ? change`${compared} || exit\n${start}` : start);
	await tools.work.check("wait-beside", () => waitHealthy(tools, definitions(beside)), void 0);
}
/** Why the new containers do not serve the data as it was; undefined when they do. */
async function bringUp(tools, attempt) {
	const { services, upgrades, before, dumps } = attempt;
	const upgraded = upgrades.map(({ one }) => one.service.name);
	const same = before.filter(({ service }) => !upgraded.includes(service));
	let left = same;
	let note;
	try {
		for (const [service, dump] of await emptyForUpgrade(tools, upgrades)) dumps.set(service, dump);
		note = await noteOf(tools, attempt);
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		return {
			error,
			differences: [],
			proven: false
		};
	}
	const noted = () => noteStoppedApp(tools.layout, {
		...note,
		fingerprints: [...left]
	});
	const fill = async () => {
		note = note.previous ? {
			...note,
			previous: {}
		} : note;
		await fillUpgraded(tools, upgrades, {
			dumps,
			noWayBack: noted()
		});
	};
	return tryCompared(tools, {
		services,
		before: same,
		step: {
			start: "recreate-containers",
			wait: "wait-healthy",
			compare: "fingerprint"
		},
		up: (some) => {
			const up = tools.stack.up(some, {
				forceRecreate: true,
				noDependencies: true,
				pull: "never"
			});
			return change`${noted()} || exit\n${up}`;
		},
		...upgrades.length > 0 && { fill },
		same: () => {
			left = [];
		}
	});
}
/** Where an earlier run left word that a restore has to come first, that stands, with whatever services. */
async function noteOf(tools, { services, manifest }) {
	const earlier = await readStoppedApp(tools);
	if (earlier?.awaits === "restore") return earlier;
	const previous = Object.fromEntries(services.map((one) => [one.service.name, one.container?.imageId ?? null]));
	return {
		awaits: "services",
		backup: manifest.id,
		...earlier,
		previous
	};
}
/** What other images on the same data, or new ones on data from a dump, leave to a person; told in the log, too. */
async function adviceOf(tools, { services, upgrades }) {
	const advice = upgrades.flatMap(({ upgrade }) => upgrade.advice);
	if (!tools.work.dryRun) for (const one of await refresh(tools, services.filter(holdsData))) advice.push(...await one.driver.advise?.(one.service, containerOf(one)) ?? []);
	for (const line of advice) tools.log.warning(line);
	return advice;
}

// src/job/recreate.ts
/**
* Replaces the infrastructure's containers and keeps their data. Runs only with a backup of this run and of this data,
* or on a host proven fresh (S1); volumes stay (S2); the app is stopped meanwhile and started again. The data's
* fingerprint is the same afterwards, or what was there before is put back. A data directory that the new image cannot
* read, of an older major, is dumped and restored into a new one. What is going to happen is told before anything is changed.
*/
async function recreate(tools, options = {}) {
	const changed = await differingFiles(tools);
	const preview = changed.map(({ path, content }) => ({
		path,
		content: Buffer.from(content).toString("utf8")
	}));
	const ahead = preview.length === 0 ? tools : {
		...tools,
		stack: tools.stack.preview(preview)
	};
	const before = atLeastOne(await servicesOf$1(ahead, "infrastructure", options.services), "service to recreate");
	const files = changed.map(({ path }) => path);
	const plan = await planRecreate(ahead, before, files);
	for (const line of describePlan(plan)) tools.log.info(line);
	if (!options.endSessions) await refuseWhileOccupied(tools, [...before, ...await writersBeside(ahead, before)]);
	const manifest = await prove(ahead, options, before);
	const putBack = await installDefinition(tools, changed);
	const acting = tools.work.dryRun ? ahead : tools;
	let upgrades;
	let services;
	try {
		services = await servicesOf$1(acting, "infrastructure", options.services);
		await acting.work.step("pull-images", acting.stack.pull(definitions(services)), { timeout: 18e5 });
		upgrades = manifest ? await findUpgrades(acting, services, manifest) : [];
		await assertDataStays(acting, services, upgrades.map(({ one }) => one.service.name));
		for (const one of services.filter(holdsData)) await assertSoleServer(acting, one, { strangers: true });
		await prepareVolumes(acting, services);
	} catch (error) {
		if (isOurs(tools, error)) await putBack();
		throw error;
	}
	return {
		...manifest ? await replaceContainers(acting, {
			services,
			manifest,
			upgrades,
			putBack
		}) : await create(acting, services),
		plan
	};
}
/**
* The backup that covers this recreation; undefined when there is no data that one could cover. A data service that the
* new definition adds is in no backup: it must be empty where that definition puts its data.
*/
async function prove(tools, { backupId, planned }, services) {
	const data = services.filter(holdsData);
	if (backupId === void 0) return proveFresh(tools, data);
	const added = data.filter((one) => !one.container);
	if (added.length > 0) await proveFresh(tools, added, { backupId });
	if (tools.work.dryRun && planned?.id === backupId) return planned;
	return proveBackup(tools, backupId, data.filter((one) => one.container));
}
/**
* A first creation. Where backups say that there once was data, the new and empty services are not the same data: the
* app stays stopped until a restore has brought it back.
*/
async function create(tools, services) {
	const lost = await lostData(tools);
	if (lost) await stopWriters(tools, {
		awaits: "restore",
		backup: lost.backup
	});
	const up = tools.stack.up(names$1(services), {
		noDependencies: true,
		pull: "never"
	});
	await tools.work.step("create-containers", change`${forgetInstalled(tools.layout)} || exit\n${up}`);
	await tools.work.check("wait-healthy", () => waitHealthy(tools, definitions(services)), void 0);
	await recordInfrastructure(tools, services);
	if (!lost) await startWriters(tools);
	return {
		status: "created",
		rung: "new-containers",
		cause: void 0,
		differences: lost?.differences ?? [],
		advice: [],
		kept: []
	};
}
async function lostData(tools) {
	const found = (await Promise.all(tools.stores.map(async (store) => ({
		store,
		...await store.list()
	})))).find((one) => one.backups.length > 0);
	const [newest] = found?.backups ?? [];
	if (!found || !newest) return void 0;
	const { id } = newest.manifest;
	tools.log.warning(`The host has no data, but ${found.store.name} has backups of it, the newest is ${id}`);
	return {
		backup: id,
		differences: [{
			service: "all",
			fact: "data",
			before: `backup ${id} in ${found.store.name}`,
			after: "nothing"
		}]
	};
}

// src/job/start-after.ts
/** Starts the app after a change of data that failed: what goes wrong now is told, and never hides the reason, which is thrown. */
async function startAfterFailure(tools, reason, start) {
	if (isOurs(tools, reason)) try {
		await start();
	} catch (error) {
		tools.log.warning(`Then the app did not start on the data of before: ${messageOf(error)}`);
	}
	throw reason;
}
/** Starts the app after a change of data that went well: when it does not, that is said as well, with where the old data is. */
async function startAfterSuccess(tools, { done, kept, start }) {
	try {
		await start();
	} catch (error) {
		if (!isOurs(tools, error)) throw error;
		throw failure("app-not-healthy", `${done}, but the app does not serve on it: ${messageOf(error)}`, {
			hint: `Look at the app's log. ${kept.join(" ")}`,
			cause: error
		});
	}
}

// src/job/restore.ts
/**
* Brings a backup back. Its files are proven before anything stops; then the app stops, every service is restored
* beside its live data, compared exactly and swapped (S9), and the app starts again. Throws with the data of before in
* its place when anything is not as the manifest says, but for live data that was dropped as `inPlace` allows. Who is
* killed on the way leaves the rest to the next run.
*/
async function restore(tools, options = {}) {
	const holding = { services: options.services ?? "all" };
	const found = await findBackup(tools, options.backupId ?? "latest", options.source ?? "auto", holding);
	const { manifest } = found;
	const wanted = manifest.services.filter((one) => options.services?.includes(one.service) ?? true);
	const missing = options.services?.filter((name) => !wanted.some(({ service }) => service === name)) ?? [];
	if (missing.length > 0) throw failure("nothing-to-restore", `${manifest.id} does not hold ${missing.join(", ")}`);
	const source = await bringLocal(tools, found);
	tools.log.info(`Restoring ${manifest.id} of ${manifest.created} from ${source}`);
	const inPlace = options.inPlace && {
		...options.inPlace,
		dropped: {}
	};
	await assertRestorable(tools, wanted, inPlace !== void 0);
	await noteRestore(tools, manifest, {
		services: wanted.map((one) => one.service),
		inPlace
	});
	const reports = await restoreAll(tools, manifest, {
		wanted,
		inPlace
	});
	const kept = reports.map((one) => one.kept).filter((one) => one !== "");
	const done = `${manifest.id} is restored`;
	await startAfterSuccess(tools, {
		done,
		kept,
		start: () => startOnRightData(tools)
	});
	return {
		backupId: manifest.id,
		source,
		tables: sum(reports.map((one) => one.tables)),
		rows: sum(reports.map((one) => one.rows)),
		keys: sum(reports.map((one) => one.keys)),
		kept,
		caveats: reports.flatMap(({ caveat }, index) => caveat === void 0 ? [] : [`${databasesFirst(wanted)[index]?.service}: ${caveat}`])
	};
}
/** What speaks against it is found while everything still runs. A server that does not answer is seen to when its turn comes. */
async function assertRestorable(tools, wanted, inPlace) {
	for (const held of wanted) {
		const [one] = await dataServices(tools, [held.service]);
		if (one?.container?.state !== "running") continue;
		try {
			await one.driver.assertRestorable?.(one.service, one.container, held, {
				work: tools.work,
				inPlace
			});
		} catch (error) {
			if (error instanceof HostError || !(error instanceof AppError) || error.kind !== "failed") throw error;
		}
	}
}
/**
* Databases first: what is most likely to fail fails before anything was swapped. When one cannot be restored, those that
* were go back as well, for they belong together, and the app starts on the data of before.
*/
async function restoreAll(tools, manifest, { wanted, inPlace }) {
	const reports = [];
	try {
		for (const held of databasesFirst(wanted)) {
			reports.push(await restoreService(tools, held, {
				id: manifest.id,
				inPlace
			}));
			await noteRestored(tools, held.service);
		}
		await noteReplacedInPlace(tools);
		return reports;
	} catch (error) {
		if (isOurs(tools, error)) await goBack(tools, manifest, error);
		throw error;
	}
}
/** What goes wrong on the way back is told, and the note of it stays for the next run: it is the restore's error that counts. */
async function goBack(tools, manifest, reason) {
	try {
		await noteReplacedInPlace(tools);
		await undoAll(tools, manifest);
	} catch (error) {
		if (!isOurs(tools, error)) throw reason;
		tools.log.warning(`The app stays stopped; going back to the data of before failed: ${messageOf(error)}`);
	}
}
function sum(numbers) {
	return numbers.reduce((total, number) => total + number, 0);
}

// src/job/pipeline.ts
/**
* The whole decision matrix over one connection and under one lock, which the caller holds. Checks the infrastructure,
* then runs job after job as `core/decision` says until it says no more. Does not throw for a job that failed: the
* report tells which one, and what ran before it. Before anything ran, throws an input error when a forced restore has no id
* and refuses while the app waits for a restore.
*/
async function pipeline(tools, options) {
	const restoreId = await chooseRestore(tools, options);
	if (restoreId === void 0) await assertNotWaiting(tools);
	const { status, dataPresent, unfinished } = await checkInfra(tools);
	const facts = {
		...options.changes,
		infraStatus: status,
		dataPresent,
		unfinished,
		beforeMigrate: tools.config.backup["before-migrate"],
		force: options.force ?? []
	};
	const rule = ruleFor(facts);
	tools.log.info(`Infrastructure is ${status}. ${rules[rule]}`);
	const jobs = [];
	let progress = { results: { lock: "success" } };
	let made;
	let failed;
	for (let job = nextJob(facts, progress); job && job !== "unlock"; job = nextJob(facts, progress)) {
		const start = tools.clock.now().getTime();
		const name = job;
		const ended = await tools.log.group(name, () => attempt(() => runJob(name, tools, {
			...options,
			restoreId,
			made
		})));
		const result = "error" in ended ? tools.signal.aborted ? "cancelled" : "failure" : "success";
		const note = "error" in ended ? messageOf(ended.error) : ended.note;
		jobs.push({
			job,
			result,
			duration: tools.clock.now().getTime() - start,
			note
		});
		tools.log.info(`${job}: ${result}: ${note}`);
		if ("error" in ended) failed = ended.error;
		else {
			made = ended.made ?? made;
			progress = {
				...progress,
				...ended
			};
		}
		progress = {
			...progress,
			results: {
				...progress.results,
				[job]: result
			}
		};
	}
	return {
		rule,
		reason: rules[rule],
		jobs,
		failure: failed,
		backupId: made?.id
	};
}
/** Decided before this run makes a backup of its own, which would then be the latest. */
async function chooseRestore(tools, { force, restoreId }) {
	if (!force?.includes("restore")) return void 0;
	if (restoreId !== void 0) return (await findBackup(tools, restoreId, "auto", { services: "all" })).manifest.id;
	throw inputError("restore-what", "force: restore needs the id of the backup to bring back", { hint: "Give it as backup-id, or latest for the newest one before this run." });
}
async function runJob(job, tools, options) {
	switch (job) {
		case "debug": {
			const { status, fixes } = await debug(tools);
			return {
				note: `${status}${fixes.length > 0 ? `: ${fixes.join(", ")}` : ""}`,
				debugStatus: status
			};
		}
		case "backup": {
			const { manifest, status } = await backup(tools);
			return {
				note: `${manifest.id}, ${status}`,
				made: manifest
			};
		}
		case "recreate": return recreateJob(tools, options);
		case "restore": {
			const backupId = options.restoreId ?? options.made?.id ?? "latest";
			const done = await restore(tools, { backupId });
			return { note: `${done.backupId} from ${done.source}: ${done.rows} rows, ${done.keys} keys` };
		}
		case "deploy-app": return { note: (await deployApp(tools, options)).releaseId };
		case "verify":
		case "verify-deploy": return verifyJob(tools);
		case "lock":
		case "unlock": throw failure("not-a-job", `${job} is the caller's`);
	}
}
async function recreateJob(tools, { made, endSessions }) {
	const proof = made === void 0 ? {} : {
		backupId: made.id,
		planned: made
	};
	const done = await recreate(tools, {
		...proof,
		endSessions
	});
	if (done.status === "rolled-back") throw failure("rolled-back", `${done.cause}; ${describeRung(done.rung)}`, { hint: "Look at the container's log above, fix the image or its configuration, and push again." });
	const dataIntact = done.differences.length === 0;
	const policy = tools.config.restore.policy;
	return {
		note: dataIntact ? `${done.status}, data is the same` : `${done.status}, data differs`,
		restoreNeeded: restoreNeeded(policy, {
			dataIntact,
			backupMade: made !== void 0
		})
	};
}
async function verifyJob(tools) {
	const { status, sections } = await verify(tools);
	const checks = Object.values(sections).flat();
	const bad = checks.filter((check) => !passed(check)).map((check) => `${check.name}: ${check.detail}`);
	if (status === "failed") throw failure("verification-failed", bad.join("; "));
	return { note: `${checks.length} checks` };
}
async function attempt(run) {
	try {
		return await run();
	} catch (error) {
		if (error instanceof AppError) return { error };
		throw error;
	}
}

// actions/pipeline/contract.ts
const ruleNames = Object.keys(rules);
const pipelineContract = {
	name: "pipeline",
	description: "Runs the whole decision matrix in one job, over one connection and under one lock.",
	mutates: true,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...storeInputs,
		...changeInputs,
		"backup-key": backupKey,
		"end-sessions": endSessions,
		base: detectChangesContract.inputs.shape.base,
		images: imagesInput,
		"release-id": deployAppContract.inputs.shape["release-id"],
		commit: deployAppContract.inputs.shape.commit,
		"backup-id": input(require_libraries.string$1().optional(), {
			description: "What a forced `restore` brings back: an id, or `latest` for the newest one before this run.",
			placeholder: "ID"
		}),
		force: input(words$1.pipe(require_libraries.array(require_libraries._enum(forcibleJobs))).optional(), {
			description: `Jobs to run whatever the facts are, separated by spaces or commas: ${forcibleJobs.map((job) => `\`${job}\``).join(", ")}.`,
			placeholder: "JOBS"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		rule: require_libraries._enum([...ruleNames, "none"]).describe("Row of the decision matrix that held; `none` when it did not come so far."),
		"jobs-run": require_libraries.string$1().describe("Jobs that ran, in order, as `job=result`, separated by spaces."),
		"infra-changed": require_libraries.boolean().describe("Whether the infrastructure's files differ from what is deployed."),
		"app-changed": require_libraries.boolean().describe("Whether the application's files differ."),
		"migrations-changed": require_libraries.boolean().describe("Whether migrations differ."),
		base: require_libraries.string$1().describe("Commit compared with; empty when everything counts as changed."),
		"backup-id": require_libraries.string$1().describe("Backup made by this run; empty without one.")
	}),
	negative: {
		...notDone,
		rule: "none",
		"jobs-run": "",
		"infra-changed": true,
		"app-changed": true,
		"migrations-changed": true,
		base: "",
		"backup-id": ""
	}
};

// actions/pipeline/action.ts
const pipelineAction = action(pipelineContract, (inputs, context) => withTools(inputs, context, {
	name: "pipeline",
	mutates: true,
	usesStores: true,
	installs: true
}, async (opened) => {
	const deployed = await readDeployed(opened);
	const changes = await detect({
		config: opened.config,
		base: inputs.base,
		deployed
	}, context);
	const changed = changeOutputs(changes);
	const commit = inputs.commit ?? changes.head;
	const tools = {
		...opened,
		run: {
			...opened.run,
			sha: commit
		}
	};
	const done = await pipeline(tools, {
		changes: {
			infraChanged: changed["infra-changed"],
			appChanged: changed["app-changed"],
			migrationsChanged: changed["migrations-changed"]
		},
		force: inputs.force ?? [],
		restoreId: inputs["backup-id"],
		endSessions: inputs["end-sessions"],
		images: inputs.images,
		releaseId: inputs["release-id"],
		commit
	});
	const { "base-source": _source, "changed-services": _services, ...told } = changed;
	return {
		outputs: {
			status: done.failure ? "failed" : "success",
			reason: done.failure ? "job-failed" : tools.work.dryRun ? "dry-run" : "done",
			rule: done.rule,
			"jobs-run": done.jobs.map(({ job, result }) => `${job}=${result}`).join(" "),
			...told,
			"backup-id": done.backupId ?? ""
		},
		summary: `${changeSummary(changes)}\n${summaryOf$2(done)}`,
		...done.failure ? { failure: `${done.jobs.at(-1)?.job}: ${done.failure.message}` } : {}
	};
}));
function summaryOf$2({ reason, jobs }) {
	const rows = jobs.map(({ job, result, duration, note }) => [
		job,
		result,
		formatDuration(duration),
		note
	]);
	return summaryTable(`Pipeline: ${reason}`, [
		"Job",
		"Result",
		"Time",
		"What"
	], rows);
}

// actions/recreate/contract.ts
const recreateContract = {
	name: "recreate",
	description: "Replaces infrastructure containers, keeps their volumes, and proves that the data is the same before and after.",
	mutates: true,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...storeInputs,
		...changeInputs,
		"end-sessions": endSessions,
		services: servicesInput("Services to recreate; those of the infrastructure profile unless told."),
		"backup-id": input(require_libraries.string$1().optional(), {
			description: "Backup made by this run (output `backup-id` of `backup`): the proof without which no data service is touched. Not needed on a host without data.",
			placeholder: "ID"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"recreation-status": require_libraries._enum(["success", "failed"]).describe("`success` or `failed`."),
		"data-intact": require_libraries.boolean().describe("Whether the data's fingerprint is equal before and after."),
		"restore-needed": require_libraries.boolean().describe("Whether data has to be restored from the backup."),
		"rolled-back": require_libraries.boolean().describe("Whether what was there before was put back."),
		rung: require_libraries._enum([...rungs, ""]).describe("What serves now: `new-containers`, `previous-images`, `previous-data` or `backup`; empty when nothing was changed.")
	}),
	negative: {
		...notDone,
		"recreation-status": "failed",
		"data-intact": false,
		"restore-needed": false,
		"rolled-back": false,
		rung: ""
	}
};

// actions/recreate/action.ts
const recreateAction = action(recreateContract, (inputs, context) => withTools(inputs, context, {
	name: "recreate",
	mutates: true,
	usesStores: true,
	installs: true
}, async (tools) => {
	const backupId = inputs["backup-id"];
	const done = await recreate(tools, {
		endSessions: inputs["end-sessions"],
		...inputs.services ? { services: inputs.services } : {},
		...backupId === void 0 ? {} : { backupId }
	});
	const dataIntact = done.differences.length === 0;
	const rolledBack = done.status === "rolled-back";
	return {
		outputs: {
			status: rolledBack ? "failed" : "success",
			reason: rolledBack ? "rolled-back" : tools.work.dryRun ? "dry-run" : "done",
			"recreation-status": rolledBack ? "failed" : "success",
			"data-intact": dataIntact,
			"restore-needed": restoreNeeded(tools.config.restore.policy, {
				dataIntact: dataIntact || rolledBack,
				backupMade: backupId !== void 0 && !rolledBack
			}),
			"rolled-back": rolledBack,
			rung: done.rung
		},
		summary: summaryOf$1(done),
		...rolledBack ? { failure: `${done.cause}; ${describeRung(done.rung)}` } : {}
	};
}));
function summaryOf$1({ status, rung, differences, cause, advice, kept, plan }) {
	const rows = differences.map(({ service, fact, before, after }) => [
		service,
		fact,
		before,
		after
	]);
	return [
		`### Recreate: ${status}\n`,
		...describePlan(plan).map((line) => `- ${line}`),
		"",
		cause === void 0 ? "" : `The new containers did not serve: ${cause}. Now ${describeRung(rung)}.\n`,
		...[...kept, ...advice].map((line) => `- ${line}`),
		"",
		rows.length === 0 ? "The data is the same before and after.\n" : summaryTable("The data differs", [
			"Service",
			"Fact",
			"Before",
			"After"
		], rows)
	].join("\n");
}

// src/job/clean-replaced.ts
/**
* Removes data that restores replaced, or had brought when they failed, and data directories that were set aside, more than
* `age` milliseconds ago by the host's clock. Only when a proven backup of the very same server was made after that, and
* its stored bytes, read again, match it; refuses otherwise. What does not say when it was replaced, or that it is ours,
* stays. Damaged files go that a good copy has taken the place of. Refuses while the app waits for a restore, whose data
* may be among it.
*/
async function cleanReplaced(tools, { age, services }) {
	await assertNotWaiting(tools);
	const data = atLeastOne(await dataServices(tools, services), "data service").filter((one) => one.driver.replaced);
	const limit = (await hostNow(tools)).getTime() - age;
	const isOld = ({ at }) => at !== void 0 && Date.parse(at) <= limit;
	const removed = [];
	const kept = [];
	for (const one of await ensureRunning(tools, data)) {
		const replaced = await one.driver.replaced?.(one.service, containerOf(one)) ?? [];
		const asides = await asidesOf(tools, one);
		const old = [...replaced, ...asides].filter(isOld);
		kept.push(...[...replaced, ...asides].filter((item) => !old.includes(item)).map(told));
		if (old.length === 0) continue;
		await assertProven(tools, one, old);
		tools.log.info(`Removing ${old.map(told).join(", ")}`);
		const names = (of) => of.filter(isOld).map(({ name }) => name);
		await one.driver.removeReplaced?.(one.service, containerOf(one), names(replaced), tools.work);
		await removeAsides(tools, one, names(asides));
		await forgetAsides(tools, one);
		removed.push(...old);
	}
	const damaged = await cleanDamaged(tools, age);
	return {
		removed: [...removed.map(told), ...damaged.removed],
		kept: [...kept, ...damaged.kept],
		bytes: removed.reduce((sum, { bytes }) => sum + bytes, damaged.bytes)
	};
}
/** Those of files that a manifest names and whose place a copy has taken that is, read again, what the manifest says. */
async function cleanDamaged(tools, age) {
	const store = localStore$1(tools.stores);
	const files = (await strayFiles(tools)).filter(({ state }) => state === "damaged");
	const manifests = files.length === 0 ? [] : (await store.list()).backups.map(({ manifest }) => manifest);
	const whole = /* @__PURE__ */ new Map();
	const gone = [];
	for (const file of files.filter((one) => one.age >= age)) {
		const manifest = manifests.find((one) => artifactFiles(one).includes(file.of));
		if (!manifest) continue;
		if (!whole.has(manifest.id)) whole.set(manifest.id, (await store.verify(manifest)).length === 0);
		if (whole.get(manifest.id)) gone.push(file);
	}
	if (gone.length > 0) await store.removeStrays(gone.map(({ path }) => path), tools.work);
	const kept = files.filter((file) => !gone.includes(file)).map(({ path }) => `"${path}" (damaged)`);
	return {
		removed: gone.map(({ path }) => `"${path}" (damaged, a good copy is in its place)`),
		kept,
		bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0)
	};
}
/** The newest proven backup of this service must be younger than the youngest of what goes, and whole at this moment. */
async function assertProven(tools, one, old) {
	const youngest = Math.max(...old.map(({ at }) => Date.parse(at ?? "")));
	const store = localStore$1(tools.stores);
	const { identifier } = await identityOf(one);
	const manifest = await newestOf(store, one, identifier);
	if (!manifest || Date.parse(manifest.created) <= youngest) throw unproven(`${one.service.name} has no proven backup that is younger than its last replaced data`);
	const [difference] = await store.verify(manifest);
	if (difference !== void 0) throw unproven(`backup ${manifest.id} is damaged: ${difference}`);
}
async function identityOf(one) {
	return { identifier: (await one.driver.fingerprint?.(one.service, containerOf(one)))?.same["system-identifier"] };
}
async function newestOf(store, one, identifier) {
	const [{ backups }, { records: drills }] = await Promise.all([store.list(), store.drills()]);
	return backups.filter(({ manifest }) => isProven(manifest, store.name, drills) && holds(manifest, one, identifier))[0]?.manifest;
}
/** Postgres says which server it is; a key store has no identity but its place in the stack. */
function holds(manifest, { service }, identifier) {
	const contents = manifest.services.find((one) => one.service === service.name)?.contents;
	if (service.kind !== "postgres") return contents !== void 0 && contents.kind !== "postgres";
	return contents?.kind === "postgres" && contents.systemIdentifier === identifier;
}
function told({ name, was, at }) {
	return `"${name}" (was "${was}"${at === void 0 ? "" : ` until ${at}`})`;
}
function unproven(problem) {
	return refusal("backup-not-proven", problem, { hint: "Run backup first: replaced data goes only after a later, proven one." });
}

// src/job/restore-foreign.ts
/**
* Restores a dump that was not made by `backup` from a file on the host: beside the live database, swapped in when every
* row of it came in. The app is stopped meanwhile; a failure leaves the live database as it was and starts the app again.
*/
async function restoreForeign(tools, options) {
	const able = (await dataServices(tools, options.services)).filter((one) => one.driver.restoreForeign);
	const [only] = able;
	if (!only || able.length > 1) throw inputError("services", "services: name the one database server that the file is for", { hint: able.length > 0 ? `There are: ${able.map((one) => one.service.name).join(", ")}.` : "There is none." });
	const database = options.database ?? onlyDatabase(only.service.config.databases);
	await assertSoleServer(tools, only);
	const [running = only] = await ensureRunning(tools, [only]);
	const restoring = {
		ids: [tools.work.id],
		services: [only.service.name],
		done: [],
		forward: false
	};
	await stopWriters(tools, {
		awaits: "services",
		restoring
	});
	const dump = {
		file: options.file,
		database,
		force: options.force
	};
	const report = await running.driver.restoreForeign?.(running.service, containerOf(running), dump, tools.work).catch((error) => startAfterFailure(tools, error, () => startWriters(tools)));
	const { kept } = report ?? nothing;
	if (!tools.work.dryRun) tools.log.info(`${options.file} is in "${database}". ${kept}`);
	const start = () => startWriters(tools);
	await startAfterSuccess(tools, {
		done: `${options.file} is restored`,
		kept: [kept],
		start
	});
	return report ?? nothing;
}
const nothing = {
	tables: 0,
	rows: 0,
	keys: 0,
	kept: ""
};
function onlyDatabase(databases = []) {
	const [only] = databases;
	if (only !== void 0 && databases.length === 1) return only;
	throw inputError("database", "database: say which database the file is for", { hint: "It is replaced if it exists, and kept under another name; it is made if it does not." });
}

// src/job/undo-restore.ts
/**
* Takes the last restore back: in every service that it replaced, or in those asked for, the replaced data serves
* again, and what the restore had brought is kept aside. All of them or none: when one fails, those before it are
* taken forth again. The app is stopped meanwhile and started again on data that belongs together. Refuses (`undo-old`) a
* restore of more than a day ago: who means one that failed a minute ago, and changed nothing, would lose months.
*/
async function undoRestore(tools, { services, force } = {}) {
	if (tools.undone) return alreadyUndone(tools, tools.undone);
	const data = atLeastOne(await dataServices(tools, services), "data service");
	const able = data.filter((one) => one.driver.undo);
	for (const one of able) await assertSoleServer(tools, one);
	const kept = await lastReplaced(await ensureRunning(tools, able));
	const [newest] = kept.toSorted((a, b) => b.at.localeCompare(a.at));
	const chosen = services ? kept : kept.filter(({ run }) => run === newest?.run);
	const left = names$1(data).filter((name) => !chosen.some(({ one }) => one.service.name === name));
	if (!force) await assertKept(tools, data, {
		newest,
		chosen
	});
	if (chosen.length === 0) throw refusal("nothing-to-undo", "no restore has left anything that it replaced", { hint: "Only what a restore kept can be brought back; restore a backup instead." });
	if (!force) assertRecent(tools, chosen);
	const earlier = await waitsForRestore(tools);
	const entries = entriesOf(tools, chosen);
	const undoing = {
		services: [...entries],
		done: [],
		waited: earlier !== void 0,
		forward: false
	};
	const backup = earlier?.backup === void 0 ? {} : { backup: earlier.backup };
	await stopWriters(tools, {
		awaits: "restore",
		...backup,
		undoing
	});
	const done = await takeBack$1(tools, entries).catch(async (error) => {
		if (isSettled(tools, error)) await endUndo(tools, { undone: false });
		throw error;
	});
	await startAfterSuccess(tools, {
		done: "the restore is undone",
		kept: done,
		start: () => endUndo(tools, { undone: true })
	});
	if (left.length > 0) tools.log.warning(`${left.join(", ")}: left as they are, the last restore did not replace them`);
	return {
		done,
		left
	};
}
/** To take back again what an earlier run has undone is not what was asked for: only its app may still have to start. */
async function alreadyUndone(tools, undone) {
	await startAfterSuccess(tools, {
		done: "the restore is undone",
		kept: [undone],
		start: () => startWriters(tools)
	});
	return {
		done: [undone],
		left: []
	};
}
/** What goes aside gets an id that nothing has yet which a restore or an undo put aside. */
function entriesOf({ work }, chosen) {
	const taken = chosen.flatMap((one) => one.all);
	let id = work.id;
	for (let number = 2; taken.some(({ name, run }) => run === id || name.endsWith(id)); number++) id = `${work.id}-${number}`;
	return keysFirst(chosen).map(({ one, name, run }) => ({
		service: one.service.name,
		name,
		...run && { run },
		id
	}));
}
const day = 864e5;
function assertRecent(tools, chosen) {
	const old = chosen.find(({ at }) => !(tools.clock.now().getTime() - Date.parse(at) <= day));
	if (!old) return;
	const when = old.at === "" ? "at an unknown time" : `at ${old.at}`;
	throw refusal("undo-old", `the last restore replaced the data of ${old.one.service.name} ${when}, over a day ago`, { hint: "What was written since then would be put aside. A restore that failed needs no undo: it left the data as it was. If this one is meant, give force: true." });
}
/** What a restore has dropped cannot be taken back: what an older one kept is from before that, and other services' keys do not belong to it. */
async function assertKept(tools, data, { newest, chosen }) {
	const dropped = await readReplacedInPlace(tools);
	const last = chosen.map(({ at }) => at).toSorted().at(-1) ?? "";
	for (const name of names$1(data)) {
		const one = dropped[name];
		if (!one || one.run !== newest?.run && one.at < last) continue;
		throw refusal("undo-in-place", `the last restore replaced the data of ${name} in place: nothing of it was kept`, { hint: `${one.held === null ? "No backup is known to hold it" : `Restore ${one.held}, which holds it`}. To take back only what was kept, from before that restore, give force: true.` });
	}
}
async function lastReplaced(services) {
	return (await Promise.all(services.map(async (one) => {
		const all = await one.driver.replaced?.(one.service, containerOf(one)) ?? [];
		const [newest] = all.filter(({ failed }) => !failed).toSorted((a, b) => (b.at ?? "").localeCompare(a.at ?? ""));
		return newest ? [{
			one,
			at: newest.at ?? "",
			run: newest.run,
			name: newest.name,
			all
		}] : [];
	}))).flat();
}
/** Restarts before the transaction: what is most likely to fail comes first, and has nothing before it to be taken forth. */
function keysFirst(services) {
	const rank = ({ one }) => Number(one.service.kind === "postgres");
	return services.toSorted((a, b) => rank(a) - rank(b));
}

// actions/restore/contract.ts
const restoreModes = [
	"restore",
	"undo",
	"clean"
];
const restoreContract = {
	name: "restore",
	description: "Brings a backup back beside the live data, counts it, swaps it in, and keeps what it replaced.",
	mutates: true,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...storeInputs,
		...changeInputs,
		"backup-key": backupKey,
		mode: input(require_libraries._enum(restoreModes).default("restore"), {
			description: "`restore`; `undo`, which takes the last restore back: what it replaced serves again; or `clean`, which removes replaced data for good once a later backup is proven.",
			placeholder: "MODE"
		}),
		"replaced-older-than": input(time$1.optional(), {
			description: "With `clean`: how long ago data must have been replaced, such as `14d`; 14 days unless told.",
			placeholder: "DURATION"
		}),
		"backup-id": input(require_libraries.string$1().default("latest"), {
			description: "Backup to restore: an id, or `latest` for the newest proven one.",
			placeholder: "ID"
		}),
		file: input(require_libraries.string$1().startsWith("/", "use an absolute path on the host").optional(), {
			description: "Restore this dump instead of a backup: a `.sql`, `.sql.gz`, `.sql.zst`, `.dump` or tar file, or the folder of `pg_dump -Fd`, made by anybody, on the host. It runs as a role without rights over the server.",
			placeholder: "PATH"
		}),
		database: input(require_libraries.string$1().optional(), {
			description: "With `file`: the database to replace or make; the one in `services.*.databases` unless told.",
			placeholder: "NAME"
		}),
		force: input(boolean.default(false), { description: "With `file`: run the dump as the superuser, with its owners, whatever speaks against it; only for a dump whose maker you trust. With `undo`: take back a restore of more than a day ago. With `in-place`: drop the live data without a backup of it." }),
		"in-place": input(boolean.default(false), { description: "Where the disk has no room for the live databases and the backup's: back the live ones up, drop them, and bring the backup in their place. There is no undo then, only that backup." }),
		services: servicesInput("Services to restore; every one in the backup unless told."),
		source: input(require_libraries._enum([
			"auto",
			"local",
			"s3"
		]).default("auto"), {
			description: "Where to take the files from: `local`, `s3`, or `auto` for the host first and S3 when it has no good copy.",
			placeholder: "WHERE"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"restore-status": require_libraries._enum(["success", "failed"]).describe("`success` or `failed`."),
		"backup-id": require_libraries.string$1().describe("Id of the backup that was restored."),
		source: require_libraries._enum([
			"local",
			"s3",
			"none"
		]).describe("Where its files came from: `local`, `s3`; `none` when nothing was restored."),
		"tables-restored": require_libraries.int().min(0).describe("Tables restored and counted."),
		"rows-restored": require_libraries.int().min(0).describe("Rows restored and counted."),
		"keys-restored": require_libraries.int().min(0).describe("Keys restored and counted.")
	}),
	negative: {
		...notDone,
		"restore-status": "failed",
		"backup-id": "",
		source: "none",
		"tables-restored": 0,
		"rows-restored": 0,
		"keys-restored": 0
	}
};

// actions/restore/action.ts
/** 14 days. */
const defaultAge = 12096e5;
const restoreAction = action(restoreContract, (inputs, context) => withTools(inputs, context, {
	name: "restore",
	mutates: true,
	usesStores: inputs.mode === "clean" || inputs.mode === "restore" && inputs.file === void 0
}, async (tools) => {
	const chosen = inputs.services ? { services: inputs.services } : {};
	switch (inputs.mode) {
		case "restore":
			if (inputs.file !== void 0) {
				const { file, database, force } = inputs;
				return fromFile$1(tools, {
					file,
					force,
					...chosen,
					...database === void 0 ? {} : { database }
				});
			}
			return bringBack(tools, {
				backupId: inputs["backup-id"],
				source: inputs.source,
				...chosen,
				...inputs["in-place"] && { inPlace: { force: inputs.force } }
			});
		case "undo": return undo(tools, {
			force: inputs.force,
			...chosen
		});
		case "clean": return clean(tools, {
			age: inputs["replaced-older-than"] ?? defaultAge,
			...chosen
		});
	}
}));
async function bringBack(tools, options) {
	const done = await restore(tools, options);
	const counts = `${done.tables} tables with ${done.rows} rows and ${done.keys} keys`;
	const compared = ["equal to its manifest", ...done.caveats].join(", but: ");
	tools.log.info(`${done.backupId} from ${done.source}: ${counts}, ${compared}`);
	return {
		outputs: {
			...succeeded(tools),
			"backup-id": done.backupId,
			source: done.source,
			"tables-restored": done.tables,
			"rows-restored": done.rows,
			"keys-restored": done.keys
		},
		summary: `### Restored ${done.backupId} from ${done.source}\n\n${counts}, ${compared}.\n\n${done.kept.join("\n")}\n`
	};
}
async function fromFile$1(tools, options) {
	const { tables, rows, kept } = await restoreForeign(tools, options);
	const counts = `${tables} tables with ${rows} rows`;
	tools.log.info(`${options.file}: ${counts}. ${kept}`);
	return {
		outputs: {
			...succeeded(tools),
			"tables-restored": tables,
			"rows-restored": rows
		},
		summary: `### Restored ${options.file}\n\n${counts}.\n\n${kept}\n`
	};
}
async function undo(tools, options) {
	const { done, left } = await undoRestore(tools, options);
	for (const sentence of done) tools.log.info(sentence);
	const rest = left.length === 0 ? "" : `\nLeft as they are: ${left.join(", ")}.\n`;
	return {
		outputs: succeeded(tools),
		summary: `### Took the last restore back\n\n${done.join("\n")}\n${rest}`
	};
}
async function clean(tools, options) {
	const { removed, kept, bytes } = await cleanReplaced(tools, options);
	const list = (items) => items.map((one) => `- ${one}\n`).join("") || "- nothing\n";
	tools.log.info(`Removed ${removed.length} sets of replaced data, ${bytes} bytes; ${kept.length} stay`);
	return {
		outputs: succeeded(tools),
		summary: `### Removed replaced data\n\n${list(removed)}\nKept:\n\n${list(kept)}`
	};
}
/** Nothing was restored by what only moves or removes. */
function succeeded(tools) {
	return {
		...restoreContract.negative,
		source: "none",
		status: "success",
		reason: tools.work.dryRun ? "dry-run" : "done",
		"restore-status": "success"
	};
}

// actions/verify/contract.ts
const section = require_libraries._enum([
	"success",
	"warning",
	"failure",
	"unknown",
	"skipped"
]);
const verifyContract = {
	name: "verify",
	description: "Proves that the stack works: containers, data integrity, application readiness, performance.",
	mutates: false,
	inputs: require_libraries.strictObject({
		...connectionInputs,
		...storeInputs,
		"backup-id": input(require_libraries.string$1().optional(), {
			description: "Backup whose counts the data is compared with; without it no counts are compared.",
			placeholder: "ID"
		}),
		"backup-max-age": input(time$1.optional(), {
			description: "Longest age of the newest proven backup in each store, such as `26h`; older fails. Without it their age is not looked at.",
			placeholder: "DURATION"
		}),
		sections: input(words$1.pipe(require_libraries.array(require_libraries._enum(sections, `use ${sections.join(", ")}`)).min(1, "name at least one section")).optional(), {
			description: `Sections to look at: ${sections.map((one) => `\`${one}\``).join(", ")}; all unless told.`,
			placeholder: "NAMES"
		})
	}),
	outputs: require_libraries.strictObject({
		...commonOutputs,
		"verification-status": require_libraries._enum(["success", "failure"]).describe("`success` or `failure`; a `failure` fails the step."),
		"infrastructure-status": section.describe("Containers, health checks, networks, mounts: `success`, `warning`, `failure` or `unknown`; `skipped` when not looked at."),
		"data-status": section.describe("Counts, critical tables, foreign keys, sample queries, keys."),
		"application-status": section.describe("App containers and health URL."),
		"performance-status": section.describe("Response times and use of resources."),
		"backup-status": section.describe("Age of the newest proven backups, with `backup-max-age`."),
		"verification-details": require_libraries.string$1().describe("Report as JSON.")
	}),
	negative: {
		...notDone,
		"verification-status": "failure",
		"infrastructure-status": "unknown",
		"data-status": "unknown",
		"application-status": "unknown",
		"performance-status": "unknown",
		"backup-status": "unknown",
		"verification-details": "{}"
	}
};

// actions/verify/action.ts
const verifyAction = action(verifyContract, (inputs, context) => withTools(inputs, context, {
	name: "verify",
	mutates: false,
	usesStores: inputs["backup-id"] !== void 0 || inputs["backup-max-age"] !== void 0
}, async (tools) => {
	const { "backup-id": backupId, "backup-max-age": backupMaxAge, sections: sections$1 = sections } = inputs;
	if (inputs.sections?.includes("backups") && backupMaxAge === void 0) throw noLimit();
	const done = await verify(tools, {
		sections: sections$1,
		...backupId === void 0 ? {} : { backupId },
		...backupMaxAge === void 0 ? {} : { backupMaxAge }
	});
	const statusFor = (section) => sections$1.includes(section) ? statusOf(done.sections[section]) : "skipped";
	const bad = Object.values(done.sections).flat().filter((check) => !passed(check));
	const failed = done.status === "failed";
	return {
		outputs: {
			status: failed ? "failed" : "success",
			reason: failed ? "verification-failed" : "done",
			"verification-status": failed ? "failure" : "success",
			"infrastructure-status": statusFor("infrastructure"),
			"data-status": statusFor("data-integrity"),
			"application-status": statusFor("application-readiness"),
			"performance-status": statusFor("performance"),
			"backup-status": backupMaxAge === void 0 ? "skipped" : statusFor("backups"),
			"verification-details": JSON.stringify(done)
		},
		summary: summaryOf(done),
		...failed ? { failure: bad.map((check) => `${check.name}: ${check.detail}`).join("\n") } : {}
	};
}));
function noLimit() {
	return inputError("missing-input", "backup-max-age is missing, and the section backups is asked for", { hint: "Give the longest age that a backup may have, such as backup-max-age: 26h." });
}
/** The worst of a section's checks; one that could not run is never a success (S11). */
function statusOf(checks) {
	if (checks.some((check) => check.state === "failed")) return "failure";
	if (checks.some((check) => check.state === "unknown")) return "unknown";
	return checks.some((check) => check.state === "warning") ? "warning" : "success";
}
function summaryOf({ status, sections }) {
	const rows = Object.entries(sections).flatMap(([section, checks]) => checks.map((check) => [
		section,
		check.name,
		check.state,
		check.detail
	]));
	return summaryTable(`Verification: ${status}`, [
		"Section",
		"Check",
		"State",
		"Detail"
	], rows);
}

// src/cli/arguments.ts
/**
* Reads `--name value`, `--name=value` and flags for an action. Throws an input error `flag-unknown`, `flag-value`,
* `flag-twice` or, for a secret (anybody on the machine sees a command line), `flag-secret`.
*/
function parseArguments(contract, words) {
	const inputs = /* @__PURE__ */ new Map();
	const switches = /* @__PURE__ */ new Set();
	const left = [...words];
	for (let word = left.shift(); word !== void 0; word = left.shift()) {
		const { name, value } = split(word, contract);
		if (isSwitch(name)) {
			if (value !== void 0) throw inputError("flag-value", `\`--${name}\` takes no value`);
			switches.add(name);
			continue;
		}
		if (inputs.has(name)) throw inputError("flag-twice", `\`--${name}\` is given twice`);
		inputs.set(name, value ?? valueAfter(contract, name, left));
	}
	return {
		inputs,
		json: switches.has("json"),
		help: switches.has("help")
	};
}
const switchNames = ["json", "help"];
function isSwitch(name) {
	return switchNames.some((one) => one === name);
}
function split(word, contract) {
	if (word === "-h") return {
		name: "help",
		value: void 0
	};
	const [, name, value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
	if (name === void 0) throw inputError("flag-unknown", `\`${word}\` is not understood: inputs are given as \`--name value\``, { hint });
	if (isSwitch(name)) return {
		name,
		value
	};
	const schema = contract.inputs.shape[name];
	const known = Object.keys(contract.inputs.shape).filter((one) => !metaOf(contract, one)?.secret);
	if (!schema) throw inputError("flag-unknown", `\`${contract.name}\` has no \`--${name}\`; ${didYouMean(name, known)}`, { hint });
	const meta = inputMeta(schema);
	if (meta.secret) throw inputError("flag-secret", `\`--${name}\` is a secret, and everybody on this machine can see a command line`, { hint: `Set the environment variable ${meta.env?.[0] ?? name.toUpperCase().replaceAll("-", "_")} instead.` });
	return {
		name,
		value
	};
}
const hint = "Add --help to see what there is.";
function metaOf(contract, name) {
	const schema = contract.inputs.shape[name];
	return schema && inputMeta(schema);
}
function valueAfter(contract, name, left) {
	const schema = contract.inputs.shape[name];
	if (schema && isFlag(schema)) return /^(true|false)$/i.test(left[0] ?? "") ? String(left.shift()) : "true";
	const next = left.shift();
	if (next === void 0 || next.startsWith("--")) throw inputError("flag-value", `\`--${name}\` needs a value`, { hint });
	return next;
}

// src/cli/help.ts
/** What `infra-actions --help` prints. */
function generalHelp(contracts) {
	return `Manages a Docker Compose stack on a host over SSH, and never loses its data.

Usage: infra-actions ACTION [--config infra.yml] [--input value ...] [--dry-run] [--json]

Actions:
${columns(contracts.map(({ name, description }) => [
		"  ",
		name,
		description
	]))}

infra-actions ACTION --help tells its inputs.
Exit codes: 0 success, 1 partial, 2 failed, 3 a person is needed (check-infra: 0 healthy, 1 minor, 2 critical, 3 missing).
`;
}
/** What `infra-actions ACTION --help` prints. */
function actionHelp(contract) {
	const inputs = Object.entries(contract.inputs.shape).map(([name, schema]) => ({
		name,
		schema,
		meta: inputMeta(schema)
	}));
	const flags = inputs.filter(({ meta }) => !meta.secret).map(({ name, schema, meta }) => {
		return [
			"  ",
			`--${name}${isFlag(schema) ? "" : ` ${meta.placeholder ?? "VALUE"}`}`,
			`${meta.description}${ending(schema)}`
		];
	});
	const switches = [[
		"  ",
		"--json",
		"Print the outputs as one JSON object on standard output."
	], [
		"  ",
		"--help",
		"Print this."
	]];
	const secrets = inputs.filter(({ meta }) => meta.secret).map(({ meta }) => [
		"  ",
		(meta.env ?? []).join(", "),
		meta.description
	]);
	const outputs = Object.entries(contract.outputs.shape).map(([name, schema]) => [
		"  ",
		name,
		schema.description ?? ""
	]);
	return `${contract.description}

Usage: infra-actions ${contract.name} [inputs]

Inputs:
${columns([...flags, ...switches])}

From the environment only:
${columns(secrets)}
  SSH_KEY_FILE, SSH_KNOWN_HOSTS_FILE name files instead; without any: the SSH agent or ~/.ssh/id_ed25519, and ~/.ssh/known_hosts.

Outputs:
${columns(outputs)}
`;
}
function ending(schema) {
	if (isRequired(schema)) return " Required.";
	const text = defaultText(schema);
	return text === void 0 || isFlag(schema) ? "" : ` Default: ${text}.`;
}
function columns(rows) {
	const width = Math.min(30, Math.max(...rows.map(([, name]) => name.length)));
	return rows.map(([indent, name, text]) => {
		return `${indent}${name}${name.length > width ? `\n${indent}${" ".repeat(width)}` : " ".repeat(width - name.length)}  ${text}`;
	}).join("\n");
}

// src/cli/ssh-files.ts
/**
* The environment with what a person's machine knows about SSH put into the variables that the inputs read: files named by
* `SSH_KEY_FILE` and `SSH_KNOWN_HOSTS_FILE`, else `~/.ssh/known_hosts` and, where no agent runs, `~/.ssh/id_ed25519`.
* Throws an input error `file-unreadable` for a named file that cannot be read.
*/
function withSshFiles(env, home = (0, node_os.homedir)()) {
	const key = fromFile(env, "SSH_KEY", env.SSH_AUTH_SOCK ? void 0 : (0, node_path.join)(home, ".ssh/id_ed25519"));
	const knownHosts = fromFile(env, "SSH_KNOWN_HOSTS", (0, node_path.join)(home, ".ssh/known_hosts"));
	return {
		...env,
		...key && { SSH_KEY: key },
		...knownHosts && { SSH_KNOWN_HOSTS: knownHosts }
	};
}
function fromFile(env, variable, usual) {
	if (env[variable]) return env[variable];
	const named = env[`${variable}_FILE`];
	if (named) return read(named, `${variable}_FILE`);
	return usual && (0, node_fs.existsSync)(usual) ? read(usual, usual) : void 0;
}
function read(path, said) {
	try {
		return (0, node_fs.readFileSync)(path, "utf8");
	} catch (error) {
		throw inputError("file-unreadable", `${said}: ${path} cannot be read: ${messageOf(error)}`, {
			hint: "Name a file that this user can read.",
			cause: error
		});
	}
}

// src/cli/terminal-logger.ts
/** A log for a person at a terminal. Text of the host cannot move the cursor or recolour what stands above it. */
function terminalLogger(masking, write) {
	const line = (text) => write(`${visible(masking.apply(text))}\n`);
	return {
		info: line,
		step: (name) => line(`▸ ${name}`),
		warning: (message) => line(`Warning: ${message}`),
		async group(title, body) {
			line(`── ${title}`);
			return await body();
		},
		untrusted: (text) => write(`${indented(visible(masking.apply(text)))}\n`)
	};
}
function indented(text) {
	return text.trimEnd().split("\n").map((line) => `  │ ${line}`).join("\n");
}
/** Control characters but tab and line end, shown as their code. */
function visible(text) {
	return text.replaceAll("\r\n", "\n").replaceAll(/[^\P{Cc}\n\t]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

// src/cli/terminal-runtime.ts
function terminalRuntime({ arguments: given, env, directory, writeLog }) {
	const masking = createMasking();
	const outputs = /* @__PURE__ */ new Map();
	const hide = (value) => typeof value === "string" ? masking.apply(value) : value;
	return {
		env,
		directory,
		run: runOf(env),
		log: terminalLogger(masking, writeLog),
		given: (name) => present(given.inputs.get(name)),
		givenNames: () => [...given.inputs.keys()],
		placeOf: (name) => `as \`--${name}\`, or in the environment if it is a secret`,
		mask: (secret) => void masking.add(secret),
		output: (values) => {
			for (const [name, value] of Object.entries(values)) outputs.set(name, hide(value));
		},
		summary: async (markdown) => {
			if (!given.json) writeLog(`\n${visible(masking.apply(markdown))}\n`);
		},
		saveState: () => {},
		fail: (failure) => writeLog(visible(masking.apply(shown(failure)))),
		result: () => {
			if (given.json) return `${JSON.stringify(Object.fromEntries(outputs))}\n`;
			return [...outputs].map(([name, value]) => `${name}=${visible(String(value)).replaceAll("\n", "\\n")}\n`).join("");
		}
	};
}
function shown({ title, message, hint, stack }) {
	return [
		`${title}: ${message}`,
		...hint ? [hint] : [],
		...stack ? [stack] : [],
		""
	].join("\n");
}

// src/cli/run-cli.ts
/** Runs one action from the command line: logs on standard error, outputs on standard output. Gives the exit code. */
async function runCli(actions, words) {
	const [name, ...rest] = words;
	if (name === void 0 || name === "--help" || name === "-h" || name === "help") {
		process.stdout.write(generalHelp(actions.map(({ contract }) => contract)));
		return name === void 0 ? 2 : 0;
	}
	try {
		const action = find(actions, name);
		const given = parseArguments(action.contract, rest);
		if (!given.help) return await run(action, given);
		process.stdout.write(actionHelp(action.contract));
		return 0;
	} catch (error) {
		const { title, hint } = failureOf$1(error);
		process.stderr.write(`${title}: ${messageOf(error)}\n${hint ? `${hint}\n` : ""}`);
		return 2;
	}
}
function find(actions, name) {
	const action = actions.find(({ contract }) => contract.name === name);
	if (action) return action;
	const known = actions.map(({ contract }) => contract.name);
	throw inputError("action-unknown", `there is no action \`${name}\`; ${didYouMean(name, known)}`, { hint: "infra-actions --help tells what each does." });
}
async function run(action, given) {
	const runtime = terminalRuntime({
		arguments: given,
		env: withSshFiles(process.env),
		directory: process.cwd(),
		writeLog: (text) => void process.stderr.write(text)
	});
	process.on("uncaughtException", (error) => process.exit(giveUp(error, runtime).exitCode));
	const { exitCode } = await perform(action, runtime, abortOnSignals());
	process.stdout.write(runtime.result());
	return exitCode;
}

Object.defineProperty(exports, "backupAction", {
  enumerable: true,
  get: function () {
    return backupAction;
  }
});
Object.defineProperty(exports, "backupContract", {
  enumerable: true,
  get: function () {
    return backupContract;
  }
});
Object.defineProperty(exports, "backupsAction", {
  enumerable: true,
  get: function () {
    return backupsAction;
  }
});
Object.defineProperty(exports, "backupsContract", {
  enumerable: true,
  get: function () {
    return backupsContract;
  }
});
Object.defineProperty(exports, "checkInfraAction", {
  enumerable: true,
  get: function () {
    return checkInfraAction;
  }
});
Object.defineProperty(exports, "debugAction", {
  enumerable: true,
  get: function () {
    return debugAction;
  }
});
Object.defineProperty(exports, "debugContract", {
  enumerable: true,
  get: function () {
    return debugContract;
  }
});
Object.defineProperty(exports, "deployAppAction", {
  enumerable: true,
  get: function () {
    return deployAppAction;
  }
});
Object.defineProperty(exports, "deployAppContract", {
  enumerable: true,
  get: function () {
    return deployAppContract;
  }
});
Object.defineProperty(exports, "detectChangesAction", {
  enumerable: true,
  get: function () {
    return detectChangesAction;
  }
});
Object.defineProperty(exports, "drillAction", {
  enumerable: true,
  get: function () {
    return drillAction;
  }
});
Object.defineProperty(exports, "drillContract", {
  enumerable: true,
  get: function () {
    return drillContract;
  }
});
Object.defineProperty(exports, "lockAction", {
  enumerable: true,
  get: function () {
    return lockAction;
  }
});
Object.defineProperty(exports, "lockContract", {
  enumerable: true,
  get: function () {
    return lockContract;
  }
});
Object.defineProperty(exports, "pipelineAction", {
  enumerable: true,
  get: function () {
    return pipelineAction;
  }
});
Object.defineProperty(exports, "pipelineContract", {
  enumerable: true,
  get: function () {
    return pipelineContract;
  }
});
Object.defineProperty(exports, "recreateAction", {
  enumerable: true,
  get: function () {
    return recreateAction;
  }
});
Object.defineProperty(exports, "recreateContract", {
  enumerable: true,
  get: function () {
    return recreateContract;
  }
});
Object.defineProperty(exports, "releaseRemembered", {
  enumerable: true,
  get: function () {
    return releaseRemembered;
  }
});
Object.defineProperty(exports, "restoreAction", {
  enumerable: true,
  get: function () {
    return restoreAction;
  }
});
Object.defineProperty(exports, "restoreContract", {
  enumerable: true,
  get: function () {
    return restoreContract;
  }
});
Object.defineProperty(exports, "runAction", {
  enumerable: true,
  get: function () {
    return runAction;
  }
});
Object.defineProperty(exports, "runCli", {
  enumerable: true,
  get: function () {
    return runCli;
  }
});
Object.defineProperty(exports, "runPost", {
  enumerable: true,
  get: function () {
    return runPost;
  }
});
Object.defineProperty(exports, "verifyAction", {
  enumerable: true,
  get: function () {
    return verifyAction;
  }
});