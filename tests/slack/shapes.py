"""What Slack refuses of blocks and dialogs: shapes and limits of its Block Kit reference, as far as Teal uses them."""

from typing import Any

LIMITS = {"plain_text": 3000, "mrkdwn": 3000}
BLOCKS_MAX, VIEW_BLOCKS_MAX = 50, 100


def mistakes(blocks: Any, *, most: int = BLOCKS_MAX) -> list[str]:  # noqa: ANN401 - anything may be sent
    """Everything wrong with a list of blocks; empty: Slack takes it."""
    if not isinstance(blocks, list):
        return ["blocks: not an array"]
    found = [f"blocks: more than {most} items"] if len(blocks) > most else []
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(ids)):
        found.append("blocks: block_id is used twice")
    for number, block in enumerate(blocks):
        found += [f"/blocks/{number}{words}" for words in _block(block)]
    return found


def view_mistakes(view: Any) -> list[str]:  # noqa: ANN401
    """Everything wrong with a dialog."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        return ["/type: not a modal"]
    found = []
    for part in ("title", "submit", "close"):
        found += [f"/{part}{words}" for words in _text(view.get(part), "plain_text", 24)]
    for part, limit in (("private_metadata", 3000), ("callback_id", 255)):
        if len(view.get(part, "")) > limit:
            found.append(f"/{part}: longer than {limit}")
    return found + mistakes(view.get("blocks"), most=VIEW_BLOCKS_MAX)


def _block(block: Any) -> list[str]:  # noqa: ANN401
    if not isinstance(block, dict):
        return [": not an object"]
    kinds = {
        "header": _header,
        "section": _section,
        "context": _context,
        "actions": _actions,
        "input": _input,
    }
    check = kinds.get(block.get("type", ""))
    if check is None:
        return [f": unknown type {block.get('type')}"]
    found = check(block)
    if len(block.get("block_id", "")) > 255:
        found.append("/block_id: longer than 255")
    return found


def _header(block: dict[str, Any]) -> list[str]:
    return [f"/text{words}" for words in _text(block.get("text"), "plain_text", 150)]


def _section(block: dict[str, Any]) -> list[str]:
    return [f"/text{words}" for words in _text(block.get("text"), "any", 3000)]


def _context(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 10:
        return ["/elements: 1 to 10 are needed"]
    return [words for element in elements for words in _text(element, "any", 2000)]


def _actions(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements", [])
    if not 1 <= len(elements) <= 25:
        return ["/elements: 1 to 25 are needed"]
    ids = [element.get("action_id") for element in elements]
    found = ["/elements: action_id is used twice"] if len(ids) != len(set(ids)) else []
    return found + [words for element in elements for words in _button(element)]


def _button(button: dict[str, Any]) -> list[str]:
    if button.get("type") != "button":
        return [f": no button but {button.get('type')}"]
    found = _text(button.get("text"), "plain_text", 75)
    if not 0 < len(button.get("action_id", "")) <= 255:
        found.append("/action_id: 1 to 255 characters are needed")
    if len(button.get("value", "")) > 2000:
        found.append("/value: longer than 2000")
    if button.get("style", "primary") not in ("primary", "danger"):
        found.append("/style: unknown")
    confirm = button.get("confirm")
    if confirm is not None:
        for part, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            found += [f"/confirm/{part}{words}" for words in _text(confirm.get(part), "any", limit)]
    return found


def _input(block: dict[str, Any]) -> list[str]:
    found = _text(block.get("label"), "plain_text", 2000) + _text(block.get("hint"), "plain_text", 2000)
    element = block.get("element", {})
    if element.get("type") != "plain_text_input":
        found.append(": no input of text")
    if not 1 <= element.get("max_length", 3000) <= 3000:
        found.append("/max_length: 1 to 3000")
    return found


def _text(text: Any, kind: str, limit: int) -> list[str]:  # noqa: ANN401
    if not isinstance(text, dict) or text.get("type") not in LIMITS:
        return [": no text object"]
    if kind not in ("any", text["type"]):
        return [f": must be {kind}"]
    if text["type"] == "mrkdwn" and "emoji" in text:
        return [": emoji is for plain_text only"]
    words = text.get("text")
    if not isinstance(words, str) or not words:
        return [": empty"]
    return [f": {len(words)} characters, at most {limit}"] if len(words) > limit else []
