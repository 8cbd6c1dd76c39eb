import { computed, ref } from "vue";

/** The path after `#`, for example `/product/desk-lamp`. */
const path = ref(location.hash.slice(1) || "/");

window.addEventListener("hashchange", () => {
  path.value = location.hash.slice(1) || "/";
  scrollTo(0, 0);
});

/** The name of the page, and its parameters. */
export const route = computed(() => {
  const [, page = "", key = ""] = path.value.split("/");
  return { page, key: decodeURIComponent(key) };
});

export function goTo(target: string): void {
  location.hash = target;
}
