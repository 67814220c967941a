"""Roles with descriptions that may differ by event type: the victim of an injury is hurt, that of a death dies."""

from collections.abc import Iterable, Mapping

from schemas.label import Role, described_roles

Description = str | Mapping[str, str]
"""The description of a role in every event type, or by the beginning of the type, of which the longest counts."""


def describe_roles(
    event_type: str, roles: Iterable[str], names: Mapping[str, str], descriptions: Mapping[str, Description]
) -> tuple[Role, ...]:
    """The roles of a raw event type. `roles` are raw roles in order, `names` their names in prompts (a role without one
    stands for itself), `descriptions` their descriptions (empty for a role that has none in this type).
    """
    return described_roles({names.get(role, role): describe(event_type, descriptions.get(role, "")) for role in roles})


def describe(event_type: str, description: Description) -> str:
    if isinstance(description, str):
        return description
    return description.get(max((key for key in description if event_type.startswith(key)), key=len, default=""), "")
